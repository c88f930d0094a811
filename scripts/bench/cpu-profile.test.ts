import { describe, expect, it } from "vitest";
import { largest, ownTimes, packageName } from "./cpu-profile.mjs";

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
const OURS = "file:///somewhere/packages/broker/dist/partition/leader-feed.js";

describe("a CPU profile", () => {
  const profile = {
    startTime: 1_000,
    nodes: [
      { id: 1, callFrame: frame("pump", OURS) },
      { id: 2, callFrame: frame("(idle)", "") },
      { id: 3, callFrame: frame("writev", "") },
    ],
    samples: [1, 2, 3, 1],
    timeDeltas: [1_000, 5_000, 2_000, 3_000],
  };

  it("counts own time, and idle time as none", () => {
    const { functions } = ownTimes(profile, { fromUs: 0, toUs: 1e9 });
    expect(largest(functions, 9)).toEqual([
      ["pump partition/leader-feed.js:10", 4],
      ["writev", 2],
    ]);
  });

  it("counts only what lies in the window", () => {
    const { packages } = ownTimes(profile, { fromUs: 6_000, toUs: 10_000 });
    expect([...packages]).toEqual([["(native)", 2]]);
  });

  it("knows whose a function is", () => {
    const urls = {
      [OURS]: "broker/partition",
      "file:///a/node_modules/@grpc/grpc-js/build/src/server.js": "@grpc/grpc-js",
      "node:internal/http2/core": "node:internal/http2",
      "node:buffer": "node:buffer",
    };
    for (const [url, name] of Object.entries(urls)) {
      expect(packageName(frame("f", url))).toBe(name);
    }
    expect(packageName(frame("(garbage collector)", ""))).toBe("(garbage collector)");
  });
});
