/**
 * The layers of the workspace, and the check that keeps them.
 *
 * THINK BEFORE YOU CHANGE THE TABLE. A package imports packages of lower floors only; what is pure
 * decides and never waits: no Node types, no clock, no timer, no randomness, no promise.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const FLOORS = {
  cli: 6,
  testing: 6,
  simulator: 6,
  server: 5,
  broker: 4,
  controller: 4,
  client: 4,
  storage: 3,
  rpc: 3,
  raft: 2,
  replication: 2,
  coordination: 2,
  metadata: 2,
  "kafka-protocol": 2,
  record: 1,
  platform: 1,
  model: 0,
};

export const PURE = [
  "model",
  "record",
  "raft",
  "replication",
  "metadata",
  "coordination",
  "kafka-protocol",
];

/** Reach the world by ports alone, so that the simulator can run them. */
export const PORTED = ["storage", "broker", "controller", "client"];

/** Files of ported packages that are adapters: the only ones that may see Node. */
const ADAPTERS = new Set(["storage/src/level-store.ts", "client/src/connect.ts"]);

const FORBIDDEN_IN_PURE = [
  [/\basync\b/, "async"],
  [/\bawait\b/, "await"],
  [/\bPromise\b/, "Promise"],
];

const FORBIDDEN_IN_PORTED = [
  [/\bDate\b/, "Date"],
  [/\bperformance\b/, "performance"],
  [/\bMath\.random\b/, "Math.random"],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, "timers"],
  // Not Kafka's setting "process.roles".
  [/(?<!")\bprocess\./, "process"],
  [/from "node:/, "a Node module"],
  [/\bconsole\./, "console"],
];

/** Returns every breach as a sentence; empty when the layers hold. */
export function floorProblems(root) {
  const problems = [];
  for (const name of readdirSync(join(root, "packages"))) {
    if (!(name in FLOORS)) problems.push(`package ${name} has no floor in scripts/floors.mjs`);
    for (const file of sources(join(root, "packages", name, "src"))) {
      problems.push(...fileProblems(root, name, file));
    }
  }
  return problems;
}

function fileProblems(root, name, file) {
  const problems = [];
  const path = relative(join(root, "packages"), file);
  const text = withoutComments(readFileSync(file, "utf8"));
  for (const [, imported] of text.matchAll(/from "@strandline\/([a-z-]+)"/g)) {
    if (FLOORS[imported] === undefined)
      problems.push(`${path} imports unknown package ${imported}`);
    else if (FLOORS[imported] >= FLOORS[name]) {
      problems.push(
        `${path}: ${name} (floor ${FLOORS[name]}) must not import ${imported} (floor ${FLOORS[imported]})`,
      );
    }
  }
  const isTest = path.endsWith(".test.ts") || path.includes("/testing/");
  if (isTest || ADAPTERS.has(path)) return problems;
  const rules = [];
  if (PURE.includes(name)) rules.push(...FORBIDDEN_IN_PURE, ...FORBIDDEN_IN_PORTED);
  if (PORTED.includes(name)) rules.push(...FORBIDDEN_IN_PORTED);
  for (const [pattern, what] of rules) {
    const at = text.split("\n").findIndex((line) => pattern.test(line));
    if (at >= 0) problems.push(`${path}:${at + 1} uses ${what}; ${name} must not`);
  }
  return problems;
}

/** Blanks comments, and keeps the lines where they are. */
function withoutComments(text) {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

function sources(directory) {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) {
  const problems = floorProblems(join(dirname(self), ".."));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
