/** What differs between two transcripts, and which of it has a reason. */

/** One difference: where, and what each side says there. */
export function differencesBetween(scenario, reference, subject) {
  const found = [];
  const labels = new Set([...reference, ...subject].map(({ label }) => label));
  for (const label of labels) {
    const [theirs, ours] = [reference, subject].map((transcript) =>
      transcript.filter((each) => each.label === label).map(({ outcome }) => outcome),
    );
    for (const { path, reference: a, subject: b } of differing(theirs, ours, "")) {
      found.push({ scenario, label, path, reference: a, subject: b });
    }
  }
  return found;
}

/** The leaves that differ, and whatever one side has and the other lacks, as a whole. */
function* differing(reference, subject, path) {
  if (!isBranch(reference) || !isBranch(subject)) {
    if (reference !== subject) yield { path, reference, subject };
    return;
  }
  if (Array.isArray(reference) !== Array.isArray(subject)) {
    yield { path, reference, subject };
    return;
  }
  const [theirs, ours] = [members(reference), members(subject)];
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const inner = path === "" ? name : `${path}.${name}`;
    yield* differing(theirs.get(name), ours.get(name), inner);
  }
}

function isBranch(value) {
  return value !== null && typeof value === "object";
}

function members(value) {
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const found = new Map();
  for (const [at, element] of value.entries()) {
    const name = nameOf(element, at);
    // The same one twice: told apart by their order.
    found.set(found.has(name) ? `${name}#${at}` : name, element);
  }
  return found;
}

/** An element by what it is about, so that one that is missing does not shift the others. */
function nameOf(element, at) {
  for (const key of NAMING) {
    const value = element?.[key];
    if (typeof value === "string" || typeof value === "number") return `[${value}]`;
  }
  return `[${at}]`;
}

const NAMING = ["apiKey", "name", "groupId", "key", "topic", "partitionIndex", "index"];

/** In an entry: that side has nothing there. */
const NOTHING = "<nothing>";

/**
 * Reasons that are on record, one of which may explain a difference. Patterns with `*`; values are
 * compared where an entry gives them.
 */
export class KnownDifferences {
  #entries;
  #used = new Set();

  constructor(entries) {
    this.#entries = entries.map((entry) => {
      if (typeof entry.reason !== "string" || entry.reason.length < 10) {
        throw new Error(`a difference without a reason: ${JSON.stringify(entry)}`);
      }
      return { entry, patterns: ["scenario", "label", "path"].map((key) => pattern(entry[key])) };
    });
  }

  /** The reason for a difference, if one is on record. */
  reasonFor(difference) {
    const values = [difference.scenario, difference.label, difference.path];
    const found = this.#entries.find(
      ({ entry, patterns }) =>
        patterns.every((each, at) => each.test(values[at])) &&
        says(entry, "reference", difference) &&
        says(entry, "subject", difference),
    );
    if (found === undefined) return undefined;
    this.#used.add(found.entry);
    return found.entry.reason;
  }

  /** Entries that explained nothing. */
  get unused() {
    return this.#entries.map(({ entry }) => entry).filter((entry) => !this.#used.has(entry));
  }
}

function says(entry, side, difference) {
  if (!(side in entry)) return true;
  if (entry[side] === NOTHING) return difference[side] === undefined;
  return JSON.stringify(entry[side]) === JSON.stringify(difference[side]);
}

function pattern(text = "*") {
  const escaped = text.split("*").map((part) => part.replaceAll(/[.[\](){}+?^$|\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`);
}
