import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { floorProblems } from "./floors.mjs";

/** A workspace with one source file. */
function workspace(packageName: string, source: string): string {
  const root = mkdtempSync(join(tmpdir(), "floors-"));
  mkdirSync(join(root, "packages", packageName, "src"), { recursive: true });
  writeFileSync(join(root, "packages", packageName, "src", "index.ts"), source);
  return root;
}

describe("floors", () => {
  it("hold in this workspace", () => {
    const root = join(dirname(fileURLToPath(import.meta.url)), "..");
    expect(floorProblems(root)).toEqual([]);
  });

  it("refuse an import of the same or a higher floor", () => {
    const root = workspace("broker", 'import { Controller } from "@strandline/controller";\n');
    expect(floorProblems(root)[0]).toContain("must not import controller");
  });

  it("refuse a promise in a pure package", () => {
    expect(floorProblems(workspace("raft", "export async function f() {}\n"))[0]).toContain(
      "async",
    );
  });

  it("refuse a clock in a package that the simulator runs", () => {
    expect(floorProblems(workspace("broker", "export const now = Date.now();\n"))[0]).toContain(
      "Date",
    );
  });

  it("do not mind the words in a comment", () => {
    expect(floorProblems(workspace("raft", "/** No Promise here. */\nexport {};\n"))).toEqual([]);
  });
});
