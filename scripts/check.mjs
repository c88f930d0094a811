/**
 * Every static check, each with its own line of success or failure: format and lint, promises,
 * types of the tests, layers, generated code. Exits 1 when one fails; all of them run.
 */
import { spawnSync } from "node:child_process";

const CHECKS = [
  ["format and lint", "biome", ["check", "."]],
  ["build", "tsc", ["-b"]],
  ["examples", "tsc", ["-b", "examples"]],
  ["types of the tests", "tsc", ["-p", "tsconfig.test.json"]],
  ["promises", "oxlint", ["--type-aware", "--quiet", "packages", "examples"]],
  ["layers", process.execPath, ["scripts/floors.mjs"]],
  ["generated code", process.execPath, ["scripts/codegen.mjs", "--check"]],
];

let failed = 0;
for (const [what, command, args] of CHECKS) {
  const isNode = command === process.execPath;
  const result = spawnSync(
    isNode ? command : "npx",
    isNode ? args : ["--no-install", command, ...args],
    {
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    },
  );
  const isOk = result.status === 0;
  console.log(`${isOk ? "ok  " : "FAIL"} ${what}`);
  if (!isOk) {
    failed += 1;
    console.log(`${result.stdout}${result.stderr}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
