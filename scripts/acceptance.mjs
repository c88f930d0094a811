/**
 * The acceptance run: real processes, the real command, files and faults as an operator meets them.
 *
 *     npm run acceptance -- [--only NAME]... [--data DIR] [--json FILE] [--keep]
 *
 * Prints a table; exits 1, with a sentence for each failed check, when one fails.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { allKilled } from "./acceptance/all-killed.mjs";
import { cleanStop } from "./acceptance/clean-stop.mjs";
import { failover } from "./acceptance/failover.mjs";
import { filesOf, generatedFiles } from "./acceptance/input-files.mjs";
import { leaderKill } from "./acceptance/leader-kill.mjs";
import { refusals } from "./acceptance/refusals.mjs";
import { Report } from "./acceptance/report.mjs";
import { roundTrip } from "./acceptance/round-trip.mjs";
import { readArguments, requireKnown } from "./lab/arguments.mjs";
import { within } from "./lab/waiting.mjs";
import { Workspace } from "./lab/workspace.mjs";

const SCENARIOS = {
  "round-trip": roundTrip,
  "leader-kill": leaderKill,
  failover,
  "all-killed": allKilled,
  refusals,
  "clean-stop": cleanStop,
};

/** No scenario may take longer: what hangs is a failure. */
const SCENARIO_MS_MAX = 10 * 60_000;

const options = readOptions();
const report = new Report();
let workspace;

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    workspace?.closeNow();
    process.exit(130);
  });
}
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => report.check(`no ${event}`, error?.stack ?? String(error)));
}

for (const name of options.only) {
  report.begin(name);
  workspace = new Workspace({ isKept: options.isKept });
  try {
    const files =
      options.data === undefined
        ? generatedFiles(workspace.path("files"))
        : filesOf(path.resolve(options.data));
    const run = SCENARIOS[name]({ report, workspace, files });
    await within(SCENARIO_MS_MAX, `the scenario ${name}`, run);
  } catch (error) {
    report.check("the scenario runs to its end", error.message);
  }
  await workspace.close();
  if (options.isKept) report.say(`kept: ${workspace.directory}`);
}

console.log(report.table().join("\n"));
for (const failure of report.failures) {
  console.log(`FAILED ${failure.scenario}: ${failure.name}: ${failure.sentence}`);
}
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify(report.json(), undefined, 2)}\n`);
}
// A client of a scenario that was cut short may still hold a timer.
process.exit(report.failures.length === 0 ? 0 : 1);

function readOptions() {
  const values = readArguments(import.meta.url, {
    only: { type: "string", multiple: true },
    data: { type: "string" },
    json: { type: "string" },
    keep: { type: "boolean", default: false },
  });
  const names = Object.keys(SCENARIOS);
  const only = values.only ?? names;
  requireKnown("scenario", only, names);
  return { only, data: values.data, json: values.json, isKept: values.keep };
}
