import { BrokerError } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { ShardLoader } from "./shard-loader.js";
import { batchOf, FakePartition, settle, shardWorld } from "./testing/shard-world.js";

const CONTROL_BIT = 1 << 5;
const ATTRIBUTES_LOW_AT = 22;
const RECORD_COUNT_AT = 57;

/** As compaction leaves a batch whose records are all gone. */
function emptied(batch: Uint8Array): Uint8Array {
  const header = batch.slice(0, 61);
  const view = new DataView(header.buffer);
  view.setInt32(8, 61 - 12);
  view.setInt32(RECORD_COUNT_AT, 0);
  return header;
}

function control(batch: Uint8Array): Uint8Array {
  batch[ATTRIBUTES_LOW_AT] = (batch[ATTRIBUTES_LOW_AT] ?? 0) | CONTROL_BIT;
  return batch;
}

describe(ShardLoader, () => {
  it("reads a log that was compacted: holes, empty batches, control batches", async () => {
    const partition = new FakePartition();
    partition.log.logStartOffset = 4;
    partition.store(batchOf(["a", "1"], ["b", "1"]), 5);
    partition.store(emptied(batchOf(["c", "1"], ["d", "1"])), 9);
    partition.store(control(batchOf(["marker", "1"])), 20);
    partition.store(batchOf(["b", "2"]), 30);
    partition.log.logEndOffset = 40;
    partition.commitAll();
    const { runner, shard } = shardWorld(partition);
    await runner.load();
    expect(runner.isActive).toBe(true);
    expect(shard.replayed).toEqual(["a", "b", "b", "(loaded)"]);
  });

  it("leaves out a record that makes no sense, and loads the rest", async () => {
    const partition = new FakePartition();
    partition.store(batchOf(["a", "1"], ["nonsense", "1"], ["b", "2"]));
    partition.commitAll();
    const { runner, shard } = shardWorld(partition);
    await runner.load();
    expect(shard.replayed).toEqual(["a", "b", "(loaded)"]);
  });

  it("goes on where the log now begins when its start was deleted meanwhile", async () => {
    const partition = new FakePartition();
    partition.store(batchOf(["old", "1"]));
    partition.store(batchOf(["a", "1"]), 7);
    partition.commitAll();
    const { read } = partition.log;
    partition.log.read = async (from, bytesMax, end) => {
      if (from >= 7) return await read(from, bytesMax, end);
      partition.log.logStartOffset = 7;
      throw new BrokerError("OFFSET_OUT_OF_RANGE", "gone");
    };
    const { runner, shard } = shardWorld(partition);
    await runner.load();
    expect(shard.replayed).toEqual(["a", "(loaded)"]);
  });

  it("stops with its runner when the log cannot be read, or the leadership ends", async () => {
    const broken = new FakePartition();
    broken.store(batchOf(["a", "1"]));
    broken.commitAll();
    broken.log.read = async () => {
      throw new BrokerError("KAFKA_STORAGE_ERROR", "the disk is gone");
    };
    const first = shardWorld(broken);
    await first.runner.load();
    expect(first.stops).toEqual([true]);

    const left = new FakePartition();
    left.store(batchOf(["a", "1"]));
    const second = shardWorld(left);
    const loading = second.runner.load();
    await settle();
    left.resign();
    await loading;
    expect(second.stops).toEqual([false]);
    expect(second.shard.replayed).toEqual([]);
  });
});
