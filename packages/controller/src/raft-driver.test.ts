import { type KeyValueStore, nullLogger, type Timers } from "@strandline/platform";
import { RaftNode } from "@strandline/raft";
import { describe, expect, it } from "vitest";
import { RaftDriver } from "./raft-driver.js";
import { RaftStorage } from "./raft-storage.js";

const forgetful: KeyValueStore = {
  get: async () => undefined,
  write: async () => undefined,
  range: async () => [],
  close: async () => undefined,
};

/** No tick ever comes: whatever happens, input alone has caused it. */
const stopped: Timers = { after: () => ({ cancel: () => undefined }) };

/** Everything that follows from what was done, without time passing. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
}

describe(RaftDriver, () => {
  it("takes up what was proposed in the very turn in which a round ends", async () => {
    const node = new RaftNode({
      self: 1,
      voters: [1],
      electionTicks: 10,
      heartbeatTicks: 1,
      entriesBytesMax: 1000,
      inflightMax: 10,
      seed: 1,
      applied: 0,
    });
    const committed: number[] = [];
    let proposals = 0;
    const driver: RaftDriver = new RaftDriver(
      { timers: stopped, logger: nullLogger },
      { node, storage: new RaftStorage(forgetful), tickMs: 50 },
      {
        send: () => undefined,
        onCommitted: (entries) => {
          for (const { type, data } of entries) if (type === "data") committed.push(...data);
        },
        onSnapshot: () => undefined,
        onRound: () => {
          if (node.role !== "leader" || node.hasReady() || proposals === 5) return;
          // The last round, for now. Whoever waited for it goes on a microtask later.
          proposals += 1;
          const data = Uint8Array.of(proposals);
          void Promise.resolve().then(() => driver.propose(data));
        },
        onFailed: (error) => expect(error).toBeUndefined(),
      },
    );
    driver.start();
    driver.campaign();
    await settled();
    expect(committed).toEqual([1, 2, 3, 4, 5]);
    await driver.close();
  });
});
