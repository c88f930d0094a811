import { crc32c, nodeCompressors } from "@strandline/platform";
import {
  baseSequence,
  batchProblem,
  type Compression,
  compressionOf,
  computeCrc,
  lastOffsetDelta,
  leaderEpoch,
  producerId,
  readBatchHeader,
} from "@strandline/record";
import { describe, expect, it } from "vitest";
import { CompactionRound, type RoundOptions } from "./compaction-round.js";
import { type Keyed, type KeyedBatchOptions, keyedBatch, seenBatch } from "./testing/keyed.js";
import { endOf } from "./testing/world.js";

const NOW_MS = 1_000_000;
const HORIZON_MS = NOW_MS + 1000;

const OPTIONS: RoundOptions = {
  keysMax: 1000,
  seed: 1,
  nowMs: NOW_MS,
  deleteRetentionMs: 1000,
  producerEnds: new Map(),
  crc32c,
  compression: undefined,
};

/** Batches one after the other, from offset 0. */
function batches(
  ...contents: readonly (readonly Keyed[] | { records: readonly Keyed[]; by: KeyedBatchOptions })[]
): Uint8Array[] {
  let offset = 0;
  return contents.map((content) => {
    const { records, by: options } = "by" in content ? content : { records: content, by: {} };
    const bytes = keyedBatch(offset, records, options);
    offset += records.length;
    return bytes;
  });
}

/** The end of a transaction of producer 7: a control batch of one record. */
function marker(offset: number, type: 0 | 1): Uint8Array {
  const key = String.fromCharCode(0, 0, 0, type);
  const bytes = keyedBatch(offset, [[key, "\0\0\0\0\0\0"]], {
    producerId: 7,
    isTransactional: true,
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setInt16(21, 0x30);
  view.setInt32(53, -1);
  view.setUint32(17, computeCrc(bytes, 0, crc32c));
  return bytes;
}

interface Round {
  readonly kept: Uint8Array[];
  readonly round: CompactionRound;
}

/** Runs a round over all batches as one file; the dirty part begins at `fromOffset`. */
function run(
  log: readonly Uint8Array[],
  options: Partial<RoundOptions> = {},
  fromOffset = 0,
): Round {
  const round = new CompactionRound(fromOffset, { ...OPTIONS, ...options });
  for (const bytes of log) if (!round.index(bytes, 0)) break;
  const kept: Uint8Array[] = [];
  log.forEach((bytes, index) => {
    const verdict = round.clean(bytes, 0, index === log.length - 1);
    if (verdict.kind === "keep") kept.push(bytes);
    if (verdict.kind === "replace") kept.push(verdict.bytes);
  });
  for (const bytes of kept) expect(batchProblem(bytes, 0, bytes.length, crc32c)).toBeUndefined();
  return { kept, round };
}

const records = ({ kept }: Round, compression?: Compression): Record<number, string> =>
  Object.assign({}, ...kept.map((bytes) => seenBatch(bytes, 0, compression).records));

const END: readonly Keyed[] = [["end", "1"]];

describe(CompactionRound, () => {
  it("keeps the last record of each key, and drops a batch of which nothing is left", () => {
    const log = batches(
      [["a", "1"]],
      [
        ["a", "2"],
        ["b", "1"],
      ],
      [["a", "3"]],
      END,
    );
    const round = run(log);
    expect(records(round)).toEqual({ 2: "b=1", 3: "a=3", 4: "end=1" });
    expect(round.kept).toHaveLength(3);
    expect(round.round.droppedCount).toBe(2);
    // What stays whole stays byte for byte.
    expect(round.kept[1]).toBe(log[2]);
  });

  it("keeps where a batch stands, its epoch and its producer's numbers", () => {
    const producer = { producerId: 7, baseSequence: 40, epoch: 3, timestampMs: 5000 };
    const [first, ...others] = batches(
      {
        records: [
          ["a", "1"],
          ["b", "1"],
          ["a", "2"],
        ],
        by: producer,
      },
      [["a", "3"]],
    );
    const [cleaned] = run([first as Uint8Array, ...others]).kept as [Uint8Array];
    const { baseOffset, lastOffset, recordCount, lastSequence } = readBatchHeader(cleaned, 0);
    expect([baseOffset, lastOffset, recordCount, lastSequence]).toEqual([0, 2, 1, 42]);
    expect([producerId(cleaned, 0), baseSequence(cleaned, 0)]).toEqual([7, 40]);
    expect([leaderEpoch(cleaned, 0), lastOffsetDelta(cleaned, 0)]).toEqual([3, 2]);
    // The largest timestamp is that of what is left.
    expect(readBatchHeader(cleaned, 0)).toMatchObject({ maxTimestampMs: 5001 });
  });

  it("leaves what is below the dirty part alone, unless its key comes again there", () => {
    const log = batches([["a", "1"]], [["b", "1"]], [["b", "2"]], END);
    expect(records(run(log, {}, 2))).toEqual({ 0: "a=1", 2: "b=2", 3: "end=1" });
  });

  it("drops records without a key", () => {
    expect(
      records(
        run(
          batches(
            [
              [null, "1"],
              ["a", "1"],
            ],
            END,
          ),
        ),
      ),
    ).toEqual({ 1: "a=1", 2: "end=1" });
  });

  it("compares keys by their bytes, the empty key too", () => {
    const log = batches([["", "1"]], [["a", "1"]], [["", "2"]], END);
    expect(records(run(log))).toEqual({ 1: "a=1", 2: "=2", 3: "end=1" });
  });

  describe("with a tombstone", () => {
    const log = batches(
      [["a", "1"]],
      [
        ["b", "1"],
        ["a", null],
      ],
      END,
    );

    it("keeps it at first, and says when it may go", () => {
      const { kept } = run(log);
      expect(kept.map((bytes) => seenBatch(bytes, 0))).toMatchObject([
        { baseOffset: 1, horizonMs: HORIZON_MS, records: { 1: "b=1", 2: "a" } },
        { horizonMs: undefined },
      ]);
    });

    it("keeps the timestamps of its batch", () => {
      const [before] = run(log).kept as [Uint8Array];
      expect(readBatchHeader(before, 0)).toMatchObject({ maxTimestampMs: 1001 });
    });

    it("keeps it until then, and drops it after that", () => {
      const { kept } = run(log);
      const again = (nowMs: number) => records(run(kept, { nowMs }, 4));
      expect(again(HORIZON_MS - 1)).toEqual({ 1: "b=1", 2: "a", 3: "end=1" });
      expect(again(HORIZON_MS)).toEqual({ 1: "b=1", 3: "end=1" });
    });

    it("never moves the time once it is told", () => {
      const { kept } = run(log);
      const again = run(kept, { nowMs: HORIZON_MS - 1 }, 4).kept;
      expect(again).toEqual(kept);
    });

    it("drops one that a later record supersedes", () => {
      const later = batches([["a", null]], [["a", "2"]], END);
      expect(records(run(later))).toEqual({ 1: "a=2", 2: "end=1" });
    });
  });

  it("keeps the last batch of a file and of an active producer, if only as a header", () => {
    const log = batches(
      { records: [["a", "1"]], by: { producerId: 7, baseSequence: 0 } },
      { records: [["a", "2"]], by: { producerId: 7, baseSequence: 1 } },
      { records: [["a", "3"]], by: { producerId: 8, baseSequence: 0 } },
      [["a", null]],
    );
    const producerEnds = new Map([
      [7, 1],
      [8, 900],
    ]);
    const first = run(log, { producerEnds });
    expect(first.kept.map((bytes) => seenBatch(bytes, 0))).toMatchObject([
      { baseOffset: 1, lastOffset: 1, records: {} },
      { baseOffset: 3, records: { 3: "a" } },
    ]);
    const [header] = first.kept as [Uint8Array];
    expect(header).toHaveLength(61);
    expect([producerId(header, 0), baseSequence(header, 0)]).toEqual([7, 1]);
    const second = run(first.kept, { producerEnds, nowMs: HORIZON_MS }, 4);
    expect(second.kept.map((bytes) => seenBatch(bytes, 0))).toMatchObject([
      { baseOffset: 1, records: {} },
      { baseOffset: 3, lastOffset: 3, horizonMs: undefined, records: {} },
    ]);
    // Both are headers now. One goes when its producer is forgotten, the other ends the file.
    expect(run(second.kept, {}, 4).kept).toEqual([second.kept[1]]);
  });

  it("ends before the batch that has more keys than it may remember", () => {
    const log = batches(
      [
        ["a", "1"],
        ["b", "1"],
      ],
      [["a", "2"]],
      [["a", "3"]],
      END,
    );
    const { round, kept } = run(log, { keysMax: 2 });
    expect(round.endOffset).toBe(2);
    expect(kept).toEqual(log);
    // The next one goes on from there.
    expect(records(run(log, { keysMax: 3 }, 2))).toEqual({ 1: "b=1", 3: "a=3", 4: "end=1" });
  });

  it("takes one batch at least, however many keys it has", () => {
    const log = batches(
      [
        ["a", "1"],
        ["b", "1"],
        ["c", "1"],
      ],
      END,
    );
    expect(run(log, { keysMax: 1 }).round.endOffset).toBe(3);
  });

  it.each(["gzip", "snappy", "lz4", "zstd"] as const)(
    "packs a %s batch again as it was",
    (name) => {
      const compression = compressionOf(nodeCompressors);
      const value = "v".repeat(300);
      const log = batches(
        {
          records: [
            ["a", value],
            ["b", value],
            ["a", null],
          ],
          by: { compression: { name, with: compression } },
        },
        END,
      );
      const round = run(log, { compression });
      expect(records(round, compression)).toEqual({ 1: `b=${value}`, 2: "a", 3: "end=1" });
      const [cleaned] = round.kept as [Uint8Array];
      expect(readBatchHeader(cleaned, 0).compression).toBe(name);
      // Without the means to open it, it stays as it is and supersedes nothing.
      const shut = run(log);
      expect(shut.kept).toEqual(log);
    },
  );

  it("leaves alone a batch whose records cannot be read", () => {
    const log = batches([["a", "1"]], [["a", "2"]], END);
    const broken = log[1] as Uint8Array;
    broken[61] = 0x7f;
    new DataView(broken.buffer, broken.byteOffset).setUint32(17, computeCrc(broken, 0, crc32c));
    const { kept } = run(log);
    expect(kept).toEqual(log);
  });

  it("does the same again without a change", () => {
    const log = batches(
      [["a", "1"]],
      [
        ["a", "2"],
        ["b", null],
      ],
      [
        ["b", null],
        ["c", "1"],
      ],
      END,
    );
    const once = run(log).kept;
    expect(run(once).kept).toEqual(once);
  });

  describe("with transactions of a producer", () => {
    const part = (baseSequence: number, ...content: readonly Keyed[]) => ({
      records: content,
      by: { producerId: 7, baseSequence, isTransactional: true },
    });
    /** a=1, then a transaction of a=2 that ends in the given way, and something behind it. */
    const log = (type: 0 | 1) => [
      ...batches([["a", "1"]], part(0, ["a", "2"])),
      marker(2, type),
      keyedBatch(3, END),
    ];

    it("counts the keys of one that was committed", () => {
      expect(records(run(log(1)))).toMatchObject({ 1: "a=2", 3: "end=1" });
      expect(records(run(log(1)))).not.toHaveProperty("0");
    });

    it("drops the records of one that was aborted, and nothing for their sake", () => {
      const { kept } = run(log(0));
      expect(records({ kept: [kept[0] as Uint8Array], round: run([]).round })).toEqual({
        0: "a=1",
      });
      // The marker has nothing left to say: it goes like a tombstone.
      expect(seenBatch(kept[1] as Uint8Array, 0)).toMatchObject({
        baseOffset: 2,
        horizonMs: HORIZON_MS,
      });
      const later = run(kept, { nowMs: HORIZON_MS }, 4);
      expect(later.kept.map((bytes) => seenBatch(bytes, 0).baseOffset)).toEqual([0, 3]);
    });

    it("keeps the marker as long as a record of the transaction stays", () => {
      const { kept } = run(log(1));
      expect(kept.map((bytes) => seenBatch(bytes, 0).horizonMs)).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    it("ends before one that is not decided yet", () => {
      const undecided = batches([["a", "1"]], [["a", "2"]], part(0, ["a", "3"]), END);
      const { round, kept } = run(undecided);
      expect(round.endOffset).toBe(2);
      expect(kept.map((bytes) => endOf(bytes))).toEqual([2, 3, 4]);
    });
  });
});
