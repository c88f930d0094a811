/**
 * What the brokers' profiles say about each measured window, all brokers together. Profiles know the
 * main threads only, and count by the clock: on a busy machine a function's time includes waiting for
 * a CPU. File work and the garbage collector's helpers are threads of their own.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { columns } from "../lab/columns.mjs";
import { add, largest, ownTimes } from "./cpu-profile.mjs";

const PACKAGES = 12;
const FUNCTIONS = 20;

/** Lines of text; the headline is the time that main threads were not idle. Brokers that were killed have left no profile. */
export function profileTables(directory, windows) {
  const times = windows.map(() => ({ packages: new Map(), functions: new Map() }));
  for (const file of readdirSync(directory)) {
    const profile = JSON.parse(readFileSync(path.join(directory, file), "utf8"));
    for (const [at, { run, fromMs, toMs }] of windows.entries()) {
      if (!file.startsWith(`${run}-node-`)) continue;
      const own = ownTimes(profile, { fromUs: fromMs * 1_000, toUs: toMs * 1_000 });
      for (const kind of ["packages", "functions"]) {
        for (const [name, ms] of own[kind]) add(times[at][kind], name, ms);
      }
    }
  }
  return windows.flatMap((window, at) => tablesOf(window, times[at]));
}

function tablesOf({ run, name, fromMs, toMs }, { packages, functions }) {
  const totalMs = [...packages.values()].reduce((sum, ms) => sum + ms, 0);
  const rows = (times, count) =>
    largest(times, count).map(([what, ms]) => [
      `${((ms / totalMs) * 100).toFixed(1)} %`,
      ms.toFixed(0),
      what,
    ]);
  return [
    `-- ${run}: ${name}: ${(totalMs / 1_000).toFixed(2)} s in ${((toMs - fromMs) / 1_000).toFixed(1)} s`,
    ...columns(["own", "ms", "package"], rows(packages, PACKAGES)),
    ...columns(["own", "ms", "function"], rows(functions, FUNCTIONS)),
    "",
  ];
}
