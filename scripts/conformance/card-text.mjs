/** The report card for people, made of its data: docs/compatibility.md. */
import { BEHAVIOURS } from "./behaviours.mjs";
import { RESULTS } from "./card.mjs";

const BEHAVIOUR_TESTS = BEHAVIOURS.map(({ test }) => test);
const MARKS = { PASS: "yes", FAIL: "**no**", SKIP: "–" };

/**
 * `differences`: what the comparison with the reference left, each with its `scenario`, `label`,
 * `path` and `reason`.
 */
export function cardText(card, differences) {
  const libraries = card.suites.filter((suite) =>
    card.of(suite).some(({ test }) => BEHAVIOUR_TESTS.includes(test)),
  );
  const others = card.suites.filter((suite) => !libraries.includes(suite));
  return `${[
    ...introduction(),
    ...summary(card),
    ...libraryTable(card, libraries),
    ...others.flatMap((suite) => suiteSection(card, suite)),
    ...differenceSection(differences),
  ].join("\n")}\n`;
}

function introduction() {
  return [
    "# Clients of the Apache Kafka(R) protocol, and what they can do here",
    "",
    "`npm run conformance` runs real clients, unmodified, against three fresh brokers and writes this",
    "page from [compatibility.csv](compatibility.csv). What is skipped needs something that the machine,",
    "the client or these brokers lack; the reason says which, and nothing skipped counts as working. The",
    "settings that differ from the defaults are `num.partitions=4` and",
    "`group.initial.rebalance.delay.ms=50`, which other people's suites expect of a test cluster.",
    "",
  ];
}

function summary(card) {
  const rows = card.suites.map((suite) => {
    const counts = RESULTS.map((result) => card.count(result, card.of(suite)));
    return [suite, ...counts];
  });
  return ["## Summary", "", ...table(["suite", "pass", "fail", "skipped"], rows), ""];
}

/** One table for all libraries: a row for each behaviour, with notes below for what is no "yes". */
function libraryTable(card, suites) {
  const notes = [];
  const cell = (suite, test) => {
    const row = card.of(suite).find((each) => each.test === test);
    if (row === undefined) return "";
    if (row.result === "PASS") return MARKS.PASS;
    const note = `${suite}: ${row.reason}`;
    if (!notes.includes(note)) notes.push(note);
    return `${MARKS[row.result]} (${notes.indexOf(note) + 1})`;
  };
  const rows = BEHAVIOUR_TESTS.map((test) => [test, ...suites.map((suite) => cell(suite, test))]);
  return [
    "## Client libraries",
    "",
    ...table(["", ...suites], rows),
    "",
    ...notes.map((note, at) => `${at + 1}. ${note}`),
    ...(notes.length === 0 ? [] : [""]),
  ];
}

function suiteSection(card, suite) {
  const rows = card.of(suite);
  const passed = rows.filter(({ result }) => result === "PASS").map(({ test }) => `\`${test}\``);
  const rest = rows
    .filter(({ result }) => result !== "PASS")
    .map(({ test, result, reason }) => [`\`${test}\``, result.toLowerCase(), reason]);
  return [
    `## ${suite}`,
    "",
    ...(passed.length === 0 ? [] : [`Passed: ${passed.join(", ")}.`, ""]),
    ...(rest.length === 0 ? [] : [...table(["test", "result", "reason"], rest), ""]),
  ];
}

/** One line for each reason, with where it shows. */
function differenceSection(differences) {
  const places = new Map();
  for (const { scenario = "any", label, path, reason } of differences) {
    const place = [scenario, label, path].filter((part) => part !== undefined).join(" / ");
    places.set(reason, [...(places.get(reason) ?? []), `\`${place}\``]);
  }
  const rows = [...places].map(([reason, found]) => [reason, found.join(", ")]);
  return [
    "## Known differences",
    "",
    "`npm run differential` sends the same requests to a real Kafka and to these brokers. What still",
    "differs in the answers, and why:",
    "",
    ...(rows.length === 0 ? ["None."] : table(["why", "where"], rows)),
  ];
}

function table(headers, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(headers), line(headers.map(() => "---")), ...rows.map(line)];
}
