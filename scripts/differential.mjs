/**
 * The same scripted requests to a real Kafka and to this project's brokers; the answers are
 * compared after what may differ was taken out of them.
 *
 *     npm run differential -- [--reference host:port,...] [--subject host:port,...]
 *                             [--only SCENARIO]... [--self] [--verbose]
 *
 * Without addresses both clusters are started here; the reference needs `java` and `mvn`, and its
 * jars are fetched once, into a cache directory. `--self` compares the reference with itself, which
 * says whether the scenarios are. `--only` takes a name of a scenario, or its beginning. Exit code:
 * 0 every difference has a reason in differences.json, 1 one has none, 2 wrong usage. The reasons
 * are told in docs/compatibility.md, too: `npm run conformance -- --text` renews it.
 */
import { readFileSync } from "node:fs";
import { differencesBetween, KnownDifferences } from "./differential/comparison.mjs";
import { Door } from "./differential/door.mjs";
import { Normaliser } from "./differential/normalise.mjs";
import { SCENARIOS } from "./differential/scenarios.mjs";
import { Side } from "./differential/side.mjs";
import { readArguments, refuse } from "./lab/arguments.mjs";
import { Cluster } from "./lab/cluster.mjs";
import { KafkaReference } from "./lab/kafka-reference.mjs";
import { within } from "./lab/waiting.mjs";
import { Workspace } from "./lab/workspace.mjs";

const SCENARIO_MS_MAX = 180_000;
const LINES_MAX = 12;
/** So that both begin groups at once, and keep the same number of copies. */
const SETTINGS = { "group.initial.rebalance.delay.ms": "0", "num.partitions": "4" };
const KNOWN = new URL("./differential/differences.json", import.meta.url);

const options = readOptions();
const workspace = new Workspace();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    workspace.closeNow();
    process.exit(130);
  });
}

let exitCode = 1;
try {
  exitCode = await compare();
} catch (error) {
  say(error.stack);
} finally {
  await workspace.close();
}
process.exit(exitCode);

async function compare() {
  const [reference, subject] = await Promise.all([openReference(), openSubject()]);
  const known = new KnownDifferences(options.self ? [] : JSON.parse(readFileSync(KNOWN, "utf8")));
  const token = Math.floor(Math.random() * 36 ** 5)
    .toString(36)
    .padStart(5, "0");
  const unexplained = [];
  const explained = new Map();
  let steps = 0;
  for (const [name, run] of SCENARIOS) {
    if (!options.only.some((each) => name.startsWith(each))) continue;
    // The two sides may be one cluster: their names differ, and have the same length.
    const [theirs, ours] = await Promise.all([
      transcriptOf(reference, `dr${token}-`, name, run),
      transcriptOf(subject, `ds${token}-`, name, run),
    ]);
    steps += theirs.length;
    const differences = differencesBetween(name, theirs, ours);
    for (const each of differences) {
      const reason = known.reasonFor(each);
      if (reason === undefined) unexplained.push(each);
      else explained.set(reason, (explained.get(reason) ?? 0) + 1);
    }
    const open = unexplained.filter((each) => each.scenario === name);
    say(`${open.length === 0 ? "same" : "DIFF"}  ${name}: ${theirs.length} steps${countOf(open)}`);
    const lines = linesOf(open);
    for (const line of options.verbose ? lines : lines.slice(0, LINES_MAX)) say(`      ${line}`);
    const rest = lines.length - LINES_MAX;
    if (rest > 0 && !options.verbose) say(`      … ${rest} more lines: --verbose`);
  }
  return report(steps, unexplained, explained, known);
}

async function transcriptOf(side, prefix, name, run) {
  const door = new Door(side, prefix);
  try {
    await within(SCENARIO_MS_MAX, `${name} on ${side.name}`, run(door));
  } catch (error) {
    // The rest is missing then, and so it is a difference.
    say(`${name} on ${side.name}: ${error.message}`);
    if (options.verbose) say(error.stack);
    if (options.verbose) for (const each of door.transcript.slice(-12)) say(JSON.stringify(each));
    door.record("the scenario", { failed: error.message.replaceAll(prefix, "~") });
  }
  door.close();
  const normaliser = new Normaliser(prefix);
  for (const [id, suffix] of door.topicIds) normaliser.learnTopic(id, suffix);
  return door.transcript.map(({ label, outcome }) => ({
    label,
    outcome: normaliser.outcome(outcome),
  }));
}

function report(steps, unexplained, explained, known) {
  const isWhole = options.only.includes("");
  say(`${steps} steps, ${unexplained.length} differences without a reason`);
  if (explained.size > 0) say("differences with a reason:");
  for (const [reason, count] of explained) say(`  ${String(count).padStart(5)}  ${reason}`);
  if (isWhole && !options.self) {
    for (const { reason } of known.unused) say(`not seen this time: ${reason}`);
  }
  return unexplained.length === 0 ? 0 : 1;
}

async function openReference() {
  if (options.reference !== undefined) return await Side.open("the reference", options.reference);
  const kafka = await KafkaReference.start(workspace, { say });
  return await Side.open("the reference", kafka.bootstrap);
}

async function openSubject() {
  if (options.self) return await openSelf();
  if (options.subject !== undefined) return await Side.open("the subject", options.subject);
  const extra = Object.entries(SETTINGS).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const cluster = await Cluster.start(workspace, { extra });
  return await Side.open("the subject", cluster.kafkaBootstrap);
}

async function openSelf() {
  if (options.reference === undefined) refuse("--self needs --reference");
  return await Side.open("the reference again", options.reference);
}

function countOf(open) {
  return open.length === 0 ? "" : `, ${open.length} differences`;
}

/** The same difference in many versions is one line. */
function linesOf(differences) {
  const groups = new Map();
  for (const { label, path, reference, subject } of differences) {
    const version = /\bv(\d+)\b/.exec(label)?.[1];

    const text = `${label.replace(/\bv\d+\b ?/, "")}: ${path}: reference ${words(reference)}, subject ${words(subject)}`;
    const known = groups.get(text) ?? { text, versions: [] };
    if (version !== undefined) known.versions.push(version);
    groups.set(text, known);
  }
  return [...groups.values()].map(({ text, versions }) =>
    versions.length === 0 ? text : `v${[...new Set(versions)].join(",")} ${text}`,
  );
}

function words(value) {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function readOptions() {
  const values = readArguments(import.meta.url, {
    reference: { type: "string" },
    subject: { type: "string" },
    only: { type: "string", multiple: true, default: [""] },
    self: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  });
  const names = SCENARIOS.map(([name]) => name);
  for (const each of values.only) {
    if (!names.some((name) => name.startsWith(each))) {
      refuse(`no scenario begins with "${each}"; there are:\n  ${names.join("\n  ")}`);
    }
  }
  const list = (text) => text?.split(",");
  return { ...values, reference: list(values.reference), subject: list(values.subject) };
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
