import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SCRIPTS = [
  ["acceptance.mjs"],
  ["bench.mjs"],
  ["bench.mjs", "--against", "kafka"],
  ["chaos.mjs"],
  ["conformance.mjs"],
  ["differential.mjs"],
  ["examples.mjs"],
  ["fuzz.mjs"],
];

function run([name = "", ...args]: readonly string[], ...more: string[]) {
  const script = fileURLToPath(new URL(`../${name}`, import.meta.url));
  return spawnSync(process.execPath, [script, ...args, ...more], { encoding: "utf8" });
}

describe.each(SCRIPTS)("%s %s", (...script) => {
  it("refuses an option that there is not, with a sentence and what there is", () => {
    const { status, stderr } = run(script, "--nonsense");
    expect(stderr).toMatch(/^Unknown option '--nonsense'\n\n[\s\S]*npm run /);
    expect(stderr).not.toContain("    at ");
    expect(status).toBe(2);
  });

  it("explains itself", () => {
    const { status, stdout } = run(script, "--help");
    expect(stdout).toMatch(/^ {4}npm run /m);
    expect(status).toBe(0);
  });
});
