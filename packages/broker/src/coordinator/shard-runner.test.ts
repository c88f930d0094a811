import { readBatchHeader } from "@strandline/record";
import { describe, expect, it } from "vitest";
import { ShardRunner } from "./shard-runner.js";
import { batchOf, FakePartition, settle, shardWorld } from "./testing/shard-world.js";

const READ = { isWrite: false };
const WRITE = { isWrite: true };

/** What became of a promise, so far. */
function watch(promise: Promise<string>): string[] {
  const seen: string[] = [];
  promise.then(
    (answer) => seen.push(answer),
    (error: { code?: string }) => seen.push(`refused ${error.code}`),
  );
  return seen;
}

async function loaded() {
  const world = shardWorld();
  await world.runner.load();
  return world;
}

describe(ShardRunner, () => {
  it("refuses commands until everything that is stored is committed and replayed", async () => {
    const partition = new FakePartition();
    partition.store(batchOf(["a", "1"], ["b", "2"]));
    partition.commitAll();
    partition.store(batchOf(["a", null], ["c", "3"]));
    const { runner, shard } = shardWorld(partition);
    const loading = runner.load();
    await settle();
    expect(shard.replayed).toEqual(["a", "b"]);
    await expect(runner.submit({ get: "b" }, READ)).rejects.toMatchObject({
      code: "COORDINATOR_LOAD_IN_PROGRESS",
    });
    partition.commitAll();
    await loading;
    expect(shard.replayed).toEqual(["a", "b", "a", "c", "(loaded)"]);
    expect(await runner.submit({ get: "b" }, READ)).toBe("2");
  });

  it("answers once the records of the command are committed, and not before", async () => {
    const { runner, partition } = await loaded();
    const answer = watch(runner.submit({ set: "a", to: "1" }, WRITE));
    await settle();
    expect(partition.batches.length).toBe(1);
    expect(answer).toEqual([]);
    partition.commitAll();
    await settle();
    expect(answer).toEqual(["stored a"]);
  });

  it("holds a read back that rests on what is not committed yet", async () => {
    const { runner, partition } = await loaded();
    expect(await runner.submit({ get: "a" }, READ)).toBe("none");
    const stored = watch(runner.submit({ set: "a", to: "1" }, WRITE));
    const read = watch(runner.submit({ get: "a" }, READ));
    await settle();
    expect([...stored, ...read]).toEqual([]);
    partition.commitAll();
    await settle();
    expect([...stored, ...read]).toEqual(["stored a", "1"]);
  });

  it("puts the commands of one turn, and those that come meanwhile, into one batch", async () => {
    const { runner, partition } = await loaded();
    const answers = ["a", "b"].map((set) => watch(runner.submit({ set, to: "1" }, WRITE)));
    await settle();
    for (const set of ["c", "d", "e"]) {
      answers.push(watch(runner.submit({ set, to: "1" }, WRITE)));
      await settle();
    }
    expect(partition.batches.map((batch) => readBatchHeader(batch, 0).recordCount)).toEqual([2]);
    partition.commitAll();
    await settle();
    expect(partition.batches.map((batch) => readBatchHeader(batch, 0).recordCount)).toEqual([2, 3]);
    expect(answers.flat()).toEqual(["stored a", "stored b"]);
    partition.commitAll();
    await settle();
    expect(answers.flat().length).toBe(5);
  });

  it("is gone with its leadership, and sends away whoever waits", async () => {
    const { runner, partition, stops } = await loaded();
    const waiting = [
      watch(runner.submit({ park: true }, READ)),
      watch(runner.submit({ set: "a", to: "1" }, WRITE)),
    ];
    await settle();
    partition.resign();
    await settle();
    expect(waiting).toEqual([["refused NOT_COORDINATOR"], ["refused NOT_COORDINATOR"]]);
    expect(stops).toEqual([false]);
    expect(partition.readerCount).toBe(0);
    await expect(runner.submit({ get: "a" }, READ)).rejects.toMatchObject({
      code: "NOT_COORDINATOR",
    });
  });

  it("is thrown away when its records are refused: it cannot take back what it decided", async () => {
    for (const refusal of ["before", "after"] as const) {
      const { runner, partition, stops } = await loaded();
      if (refusal === "before") partition.refusal = "NOT_ENOUGH_REPLICAS";
      const answer = watch(runner.submit({ set: "a", to: "1" }, WRITE));
      await settle();
      partition.failAll("REQUEST_TIMED_OUT");
      await settle();
      expect(answer).toEqual(["refused COORDINATOR_NOT_AVAILABLE"]);
      expect(stops).toEqual([true]);
    }
  });

  it("loads what an earlier runner of this leadership stored without hearing of it", async () => {
    const { runner, partition } = await loaded();
    const answer = watch(runner.submit({ set: "a", to: "1" }, WRITE));
    await settle();
    partition.failAll("REQUEST_TIMED_OUT");
    await settle();
    expect(answer).toEqual(["refused COORDINATOR_NOT_AVAILABLE"]);
    const second = shardWorld(partition);
    const loading = second.runner.load();
    await settle();
    expect(second.runner.isActive).toBe(false);
    partition.commitAll();
    await loading;
    expect(await second.runner.submit({ get: "a" }, READ)).toBe("1");
  });

  it("takes no command to store while too few replicas are in sync, and lets no time pass", async () => {
    const { runner, partition, time, shard, stops } = await loaded();
    const parked = watch(runner.submit({ park: true }, READ));
    partition.core.isUnderMinIsr = true;
    await expect(runner.submit({ set: "a", to: "1" }, WRITE)).rejects.toMatchObject({
      code: "COORDINATOR_NOT_AVAILABLE",
    });
    expect(shard.texts.size).toBe(0);
    time.pass(60_000);
    await settle();
    expect(parked).toEqual([]);
    partition.core.isUnderMinIsr = false;
    time.pass(1_000);
    await settle();
    expect(parked).toEqual(["woken"]);
    expect(stops).toEqual([]);
  });

  it("serves nothing while others may lead, and goes on when they do not", async () => {
    const { runner, partition } = await loaded();
    partition.isServing = false;
    await expect(runner.submit({ get: "a" }, READ)).rejects.toMatchObject({
      code: "NOT_COORDINATOR",
    });
    partition.isServing = true;
    expect(await runner.submit({ get: "a" }, READ)).toBe("none");
  });

  it("tells the shard when time is up", async () => {
    const { runner, time } = await loaded();
    const parked = watch(runner.submit({ park: true }, READ));
    time.pass(9_999);
    await settle();
    expect(parked).toEqual([]);
    time.pass(1);
    await settle();
    expect(parked).toEqual(["woken"]);
  });

  it("tells the shard of callers that have gone", async () => {
    const { runner, shard } = await loaded();
    const caller = new AbortController();
    const options = { ...READ, signal: caller.signal };
    const parked = watch(runner.submit({ park: true }, options));
    expect(shard.parked.size).toBe(1);
    caller.abort();
    await settle();
    expect(shard.parked.size).toBe(0);
    expect(parked).toEqual(["refused REQUEST_TIMED_OUT"]);
    await expect(runner.submit({ park: true }, options)).rejects.toMatchObject({
      code: "REQUEST_TIMED_OUT",
    });
  });

  it("goes with a shard that fails: nobody knows what it had changed", async () => {
    const { runner, stops } = await loaded();
    await expect(runner.submit({ crash: true }, READ)).rejects.toMatchObject({
      code: "UNKNOWN_SERVER_ERROR",
    });
    expect(stops).toEqual([true]);
  });
});
