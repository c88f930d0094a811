#!/usr/bin/env node
/** `npm run sim`: runs scenarios over seeds. Exits with 1 when something was found. */
import { readArguments, USAGE } from "./cli-options.js";
import { runSeeds } from "./run-seeds.js";
import type { Scenario } from "./scenario.js";
import { clusterScenario } from "./scenarios/cluster/cluster-scenario.js";
import { groupsScenario } from "./scenarios/groups/groups-scenario.js";
import { logScenario } from "./scenarios/log/log-scenario.js";
import { raftScenario } from "./scenarios/raft/raft-scenario.js";

const SCENARIOS: readonly Scenario[] = [
  clusterScenario(),
  groupsScenario(),
  logScenario(),
  raftScenario(),
];

async function main(args: readonly string[]): Promise<number> {
  const names = SCENARIOS.map(({ name }) => name);
  const options = readArguments(args, names);
  if (typeof options === "string") {
    process.stderr.write(`${options}\n\n${USAGE}\n\nscenarios: ${names.join(", ")}\n`);
    return 2;
  }
  const scenario = SCENARIOS.find(({ name }) => name === options.scenario);
  if (scenario === undefined) return 2;
  // Taken before node code runs, for which it will be forbidden.
  const now = performance.now.bind(performance);
  const failed = await runSeeds({
    ...options,
    scenario,
    forbidsRealWorld: true,
    tell: (text) => process.stderr.write(`${text}\n`),
    print: (text) => process.stdout.write(`${text}\n`),
    nowMs: now,
  });
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
