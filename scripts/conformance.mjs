/**
 * Runs real clients of the Kafka protocol, unmodified, against three fresh brokers, and writes the
 * report card: docs/compatibility.csv, and docs/compatibility.md, which is made of it.
 *
 *     npm run conformance -- [--only SUITE]... [--case TEXT]... [--bootstrap HOST:PORT,...]
 *                            [--csv FILE] [--keep] [--text]
 *
 * `--only` runs one client, `--case` the tests with TEXT in their names. `--bootstrap` runs against
 * a cluster that is there already; its results go to `--csv` only. `--text` runs nothing, and makes the
 * page anew from the data. A client whose toolchain this machine lacks is skipped, with the reason.
 * Exits 1 when a test failed.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Card } from "./conformance/card.mjs";
import { CARD_CSV, writeCardText } from "./conformance/card-files.mjs";
import { runSuite } from "./conformance/suite-run.mjs";
import { SUITES } from "./conformance/suites.mjs";
import { ForeignTarget, OwnTarget } from "./conformance/target.mjs";
import { readArguments, requireKnown } from "./lab/arguments.mjs";
import { Workspace } from "./lab/workspace.mjs";

const options = readOptions();
const workspace = new Workspace({ isKept: options.isKept });
const startedAtMs = performance.now();

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    workspace.closeNow();
    process.exit(130);
  });
}

const card = new Card();
const target = await openTarget();
for (const suite of options.suites) {
  await runSuite(suite, { target, workspace, card, say, caseNames: options.caseNames });
}
await workspace.close();
if (options.csv !== undefined) writeFileSync(options.csv, card.text());
if (isWholeRunOnOwn()) {
  const before = existsSync(CARD_CSV) ? Card.parse(readFileSync(CARD_CSV, "utf8")) : new Card();
  writeFileSync(CARD_CSV, before.with(card).text());
  writeCardText();
}
const counts = ["PASS", "FAIL", "SKIP"].map((result) => `${card.count(result)} ${result}`);
say(`${target.name}: ${counts.join(", ")}`);
process.exit(card.count("FAIL") === 0 ? 0 : 1);

async function openTarget() {
  if (options.bootstrap !== undefined) return new ForeignTarget(options.bootstrap);
  try {
    return await OwnTarget.open(workspace);
  } catch (error) {
    say(`the brokers did not start: ${error.message}`);
    workspace.closeNow();
    process.exit(1);
  }
}

/** Half a suite, or somebody else's cluster, says nothing for the card. */
function isWholeRunOnOwn() {
  return options.bootstrap === undefined && options.caseNames === undefined;
}

function say(line) {
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1).padStart(7);
  process.stderr.write(`${seconds}  ${line}\n`);
}

function readOptions() {
  const values = readArguments(import.meta.url, {
    only: { type: "string", multiple: true },
    case: { type: "string", multiple: true },
    bootstrap: { type: "string" },
    csv: { type: "string" },
    keep: { type: "boolean", default: false },
    text: { type: "boolean", default: false },
  });
  if (values.text) {
    writeCardText();
    process.exit(0);
  }
  const names = SUITES.map((suite) => suite.name);
  requireKnown("suite", values.only ?? [], names);
  return {
    suites: SUITES.filter((suite) => values.only?.includes(suite.name) ?? true),
    caseNames: values.case,
    bootstrap: values.bootstrap,
    csv: values.csv === undefined ? undefined : path.resolve(values.csv),
    isKept: values.keep,
  };
}
