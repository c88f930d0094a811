/**
 * Any sequence of appends, rounds of compaction, time, restarts, truncations and crashes, against
 * the list of everything that was written.
 *
 * What must hold: a record that is there stands where it was written, as it was written; a record
 * that is not there has a later one of its key, or was a tombstone that has had its time; so whoever
 * reads from the start has the last value of each key, and sees every tombstone that is not older
 * than they stay. Compacting twice does what compacting once does.
 */
import { LeaderEpochs, ProducerStates } from "@strandline/replication";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import { COMPACTION, compacted, type Keyed, keyedBatch, seenBatches } from "./testing/keyed.js";
import { seeded, settle, World } from "./testing/world.js";

const DELETE_RETENTION_MS = 50_000;

const CONFIG = {
  segmentBytesMax: 600,
  indexIntervalBytes: 200,
  // Else the last of what was compacted would still be read from memory as it was.
  tailBytesMax: 0,
  fileDeleteDelayMs: 10,
  compaction: { ...COMPACTION, deleteRetentionMs: DELETE_RETENTION_MS },
};

type Command =
  | { readonly kind: "append"; readonly records: readonly Keyed[]; readonly hasProducer: boolean }
  | { readonly kind: "compact"; readonly keysMax: number; readonly crashTurns: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "checkpoint" | "reopen" | "bump-epoch" }
  | { readonly kind: "crash"; readonly seed: number }
  | { readonly kind: "truncate" | "delete"; readonly part: number };

const record: fc.Arbitrary<Keyed> = fc.tuple(
  fc.constantFrom("a", "b", "c", "d", "e"),
  fc.option(fc.string({ maxLength: 60 }), { freq: 3, nil: null }),
);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      records: fc.array(record, { minLength: 1, maxLength: 4 }),
      hasProducer: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("compact" as const),
      keysMax: fc.constantFrom(1000, 1000, 2, 4),
      crashTurns: fc.oneof(
        { weight: 3, arbitrary: fc.constant(-1) },
        { weight: 1, arbitrary: fc.nat(400) },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      ms: fc.constantFrom(10, 6000, DELETE_RETENTION_MS),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("checkpoint" as const, "reopen" as const, "bump-epoch" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), seed: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("truncate" as const, "delete" as const),
      part: fc.nat(1000),
    }),
  },
);

interface Written {
  readonly key: string;
  readonly text: string;
  readonly isTombstone: boolean;
}

class Model {
  readonly world = new World();
  log!: Log;
  /** By offset. */
  written: Written[] = [];
  epochs = new LeaderEpochs();
  epoch = 0;
  sequence = 0;
  /** When a round first went through an offset, or may have. */
  cleanedAtMs: number[] = [];

  async open(): Promise<void> {
    this.log = await this.world.open(CONFIG);
  }

  async run(step: Command): Promise<void> {
    switch (step.kind) {
      case "append":
        return this.append(step.records, step.hasProducer);
      case "compact":
        return await this.compact(step.keysMax, step.crashTurns);
      case "advance":
        this.world.time.advance(step.ms);
        return await settle();
      case "checkpoint":
        return await this.log.checkpoint();
      case "bump-epoch":
        this.epoch += 1;
        return;
      case "reopen":
        await this.log.close();
        await this.open();
        return await this.check();
      case "crash":
        await settle();
        this.world.crash(seeded(step.seed));
        await this.open();
        return await this.check();
      case "truncate":
        return await this.truncate(step.part);
      case "delete": {
        const { logStartOffset, logEndOffset } = this.log;
        const span = logEndOffset - logStartOffset + 1;
        await this.log.deleteRecordsBefore(logStartOffset + (step.part % span));
        return await this.check();
      }
    }
  }

  append(records: readonly Keyed[], hasProducer: boolean): void {
    const offset = this.written.length;
    expect(this.log.logEndOffset).toBe(offset);
    const producer = hasProducer ? { producerId: 5, baseSequence: this.sequence } : {};
    this.log.append(keyedBatch(offset, records, { epoch: this.epoch, ...producer }));
    this.epochs.assign(this.epoch, offset);
    if (hasProducer) this.sequence += records.length;
    for (const [key, value] of records) {
      const text = value === null ? `${key}` : `${key}=${value}`;
      this.written.push({ key: key ?? "", text, isTombstone: value === null });
    }
  }

  async compact(keysMax: number, crashTurns: number): Promise<void> {
    await this.log.checkpoint();
    if (crashTurns >= 0) return await this.crashInside(keysMax, crashTurns);
    this.noteCleaned(this.log.durableEndOffset);
    const report = await compacted(this.log, this.world.time, { keysMax });
    const cleanedTo = report?.cleanedTo ?? 0;
    await this.check(cleanedTo);
  }

  noteCleaned(endOffset: number): void {
    const nowMs = this.world.time.wallMs();
    for (let offset = 0; offset < endOffset; offset++) this.cleanedAtMs[offset] ??= nowMs;
  }

  async crashInside(keysMax: number, crashTurns: number): Promise<void> {
    const { log, world } = this;
    const endOffset = log.durableEndOffset;
    this.noteCleaned(endOffset);
    const round = log.compact({ endOffset, keysMax, seed: 1 }).catch(() => undefined);
    for (let turn = 0; turn < crashTurns; turn++) {
      await Promise.resolve();
      if (turn % 20 === 19) world.time.advance(1);
    }
    world.crash(seeded(crashTurns));
    // The process is gone: what waited for time goes nowhere.
    world.time.advance(10_000);
    await Promise.race([round, settle()]);
    await this.open();
    await this.check();
  }

  async truncate(part: number): Promise<void> {
    const { log } = this;
    // Nothing that is committed is cut, and only that is compacted.
    const cleanedTo = this.cleanedAtMs.length;
    const from = Math.max(log.logStartOffset, cleanedTo);
    await log.truncateTo(from + (part % (log.logEndOffset - from + 1)));
    this.written.length = log.logEndOffset;
    this.epochs.truncateFromEnd(log.logEndOffset);
    await this.check();
  }

  /** `cleanedTo`: below it no record has a later one of its key below it. */
  async check(cleanedTo = 0): Promise<void> {
    const { log, written } = this;
    expect(log.logEndOffset).toBe(written.length);
    expect(log.recovery.damaged).toBeUndefined();
    expect(this.world.failures).toEqual([]);
    const seen = new Map<number, string>();
    let before = -1;
    for (const batch of await seenBatches(log)) {
      expect(batch.baseOffset).toBeGreaterThan(before);
      before = batch.lastOffset;
      for (const [offset, text] of Object.entries(batch.records)) seen.set(Number(offset), text);
    }
    this.checkRecords(seen, cleanedTo);
    this.checkDerived();
  }

  checkRecords(seen: ReadonlyMap<number, string>, cleanedTo: number): void {
    const later = new Map<string, number>();
    for (let offset = this.written.length - 1; offset >= this.log.logStartOffset; offset--) {
      const { key, text, isTombstone } = this.written[offset] as Written;
      const successor = later.get(key);
      later.set(key, Math.min(offset, later.get(key) ?? offset));
      if (seen.has(offset)) {
        expect(seen.get(offset)).toBe(text);
        const isSuperseded = successor !== undefined && successor < cleanedTo;
        expect(isSuperseded && offset < cleanedTo).toBe(false);
        continue;
      }
      if (successor !== undefined) continue;
      // The last of its key is gone: only a tombstone may be, and only after its time.
      expect([offset, isTombstone]).toEqual([offset, true]);
      const sinceMs = this.cleanedAtMs[offset] ?? Number.POSITIVE_INFINITY;
      expect(this.world.time.wallMs() - sinceMs).toBeGreaterThanOrEqual(DELETE_RETENTION_MS);
    }
  }

  checkDerived(): void {
    const { log } = this;
    const epochs = new LeaderEpochs(this.epochs.entries);
    epochs.truncateFromStart(log.logStartOffset);
    const isLive = ({ startOffset }: { startOffset: number }): boolean =>
      startOffset < log.logEndOffset;
    expect(log.epochs.entries.filter(isLive)).toEqual(epochs.entries.filter(isLive));
    // Its next batch is checked against its last one, whatever of that is left.
    const states = ProducerStates.restore(log.producers.snapshot()).snapshot().producers;
    this.sequence = (states[0]?.batches.at(-1)?.lastSequence ?? -1) + 1;
  }
}

const RUNS = Number(process.env["STRANDLINE_RUNS"] ?? 60);

describe("a compacted log under any sequence of events", () => {
  it("keeps the last value of each key", { timeout: 60_000 + RUNS * 60 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40, size: "max" }), async (steps) => {
        const model = new Model();
        await model.open();
        for (const step of steps) await model.run(step);
        await model.run({ kind: "compact", keysMax: 1000, crashTurns: -1 });
        const once = await seenBatches(model.log);
        // Nothing is dirty: another round has nothing to do, and a restart changes nothing.
        expect(await compacted(model.log, model.world.time)).toBeUndefined();
        await model.run({ kind: "reopen" });
        expect(await seenBatches(model.log)).toEqual(once);
      }),
      { numRuns: RUNS },
    );
  });
});
