import type { FileSystem } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { logScenario } from "./log-scenario.js";

const A_MINUTE = 60_000;

function without(
  fileSystem: FileSystem,
  operation: "dataSync" | "syncDirectory" | "truncate",
): FileSystem {
  return {
    open: async (path, options) => {
      const handle = await fileSystem.open(path, options);
      const skip = async (): Promise<void> => undefined;
      return {
        read: (target, position) => handle.read(target, position),
        write: (chunks, position) => handle.write(chunks, position),
        writeDurably: (chunks, position) =>
          operation === "dataSync"
            ? handle.write(chunks, position)
            : handle.writeDurably(chunks, position),
        dataSync: operation === "dataSync" ? skip : () => handle.dataSync(),
        truncate: operation === "truncate" ? skip : (length) => handle.truncate(length),
        sizeBytes: () => handle.sizeBytes(),
        close: () => handle.close(),
      };
    },
    makeDirectory: (path) => fileSystem.makeDirectory(path),
    list: (path) => fileSystem.list(path),
    exists: (path) => fileSystem.exists(path),
    rename: (from, to) => fileSystem.rename(from, to),
    remove: (path) => fileSystem.remove(path),
    removeDirectory: (path) => fileSystem.removeDirectory(path),
    syncDirectory: async (path) => {
      if (operation !== "syncDirectory") await fileSystem.syncDirectory(path);
    },
    space: (path) => fileSystem.space(path),
  };
}

describe("the log scenario", () => {
  it(
    "finds nothing in the production log",
    async () => {
      for (let seed = 1; seed <= 15; seed++) {
        const { findings, counts } = await logScenario().run({ seed });
        expect({ seed, findings }).toEqual({ seed, findings: [] });
        expect(counts["batches"]).toBeGreaterThan(20);
      }
    },
    5 * A_MINUTE,
  );

  it.each(["dataSync", "syncDirectory", "truncate"] as const)(
    "finds a disk on which %s does nothing",
    async (operation) => {
      const sabotage = (fileSystem: FileSystem): FileSystem => without(fileSystem, operation);
      for (let seed = 1; seed <= 10; seed++) {
        const { findings } = await logScenario({ sabotage }).run({ seed });
        if (findings.length > 0) return;
      }
      expect.fail(`10 seeds did not find a ${operation} that does nothing`);
    },
    5 * A_MINUTE,
  );
});
