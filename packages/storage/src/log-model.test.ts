/**
 * Any sequence of appends, cuts, restarts, kills and power cuts, against a list of batches.
 *
 * What must hold: an acknowledged record is there, byte by byte, until it is cut; nothing else is;
 * epochs and producers are those of the records; damage is never reported where there is none.
 */

import { leaderEpoch } from "@strandline/record";
import { LeaderEpochs, ProducerStates } from "@strandline/replication";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import { producerBatch } from "./replay.js";
import { batch, concat, readAll, seeded, World } from "./testing/world.js";

type Command =
  | { readonly kind: "append"; readonly count: number; readonly valueBytes: number }
  | { readonly kind: "bump-epoch" }
  | { readonly kind: "settle" | "checkpoint" | "reopen" | "retain" | "read" }
  | { readonly kind: "kill"; readonly turns: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "crash"; readonly seed: number; readonly turns: number }
  | { readonly kind: "truncate" | "delete"; readonly part: number; readonly crashTurns: number }
  | { readonly kind: "restart"; readonly ahead: number; readonly crashTurns: number };

/** Mostly without a crash in the middle. */
const crashTurns = fc.oneof(
  { weight: 3, arbitrary: fc.constant(-1) },
  { weight: 1, arbitrary: fc.nat(120) },
);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 4 }),
      valueBytes: fc.integer({ min: 0, max: 900 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "bump-epoch" as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "settle" as const,
        "checkpoint" as const,
        "reopen" as const,
        "retain" as const,
        "read" as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      ms: fc.constantFrom(1, 100, 5000, 70_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("kill" as const), turns: fc.nat(40) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      seed: fc.nat(),
      turns: fc.nat(60),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("truncate" as const, "delete" as const),
      part: fc.nat(1000),
      crashTurns,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("restart" as const),
      ahead: fc.nat(50),
      crashTurns,
    }),
  },
);

const commands = fc.array(command, { maxLength: 40, size: "max" });

interface Kept {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Uint8Array;
}

const CONFIG = {
  segmentBytesMax: 3000,
  indexIntervalBytes: 300,
  tailBytesMax: 1500,
  retentionBytes: 6000,
  segmentMs: 60_000,
};

class Model {
  readonly world = new World();
  log!: Log;
  kept: Kept[] = [];
  startOffset = 0;
  /** The lowest start that is still possible: retention and deletion move it for good. */
  durableEnd = 0;
  /** What a power cut must leave of a log that is not synced. */
  safeEnd = 0;
  readonly #isSynced: boolean;
  epoch = 0;
  sequence = 0;
  seed = 0;

  constructor(isSynced: boolean) {
    this.#isSynced = isSynced;
  }

  get end(): number {
    return this.kept.at(-1)?.nextOffset ?? this.emptyAt;
  }

  emptyAt = 0;

  async open(): Promise<void> {
    this.log = await this.world.open({ ...CONFIG, isSynced: this.#isSynced });
    this.safeEnd = this.log.logEndOffset;
  }

  async run(step: Command): Promise<void> {
    switch (step.kind) {
      case "append":
        return this.append(step.count, step.valueBytes);
      case "bump-epoch":
        this.epoch += 1;
        return;
      case "settle":
        return await turns(300);
      case "checkpoint":
        await this.log.checkpoint();
        this.safeEnd = this.end;
        return;
      case "advance":
        this.world.time.advance(step.ms);
        return await turns(20);
      case "read":
        return await this.checkContents();
      case "retain": {
        await this.log.applyRetention(this.log.durableEndOffset);
        expect(this.log.logStartOffset).toBeGreaterThanOrEqual(this.startOffset);
        this.startAt(this.log.logStartOffset);
        return;
      }
      case "reopen":
        await this.log.close();
        await this.open();
        return await this.checkSame();
      case "kill":
        await turns(step.turns);
        this.durableEnd = this.log.durableEndOffset;
        this.world.kill();
        await this.open();
        return await this.checkSurvived(this.durableEnd);
      case "crash":
        await turns(step.turns);
        return await this.crash(step.seed);
      case "truncate":
      case "delete":
      case "restart":
        return await this.cut(step);
    }
  }

  append(count: number, valueBytes: number): void {
    const batches: Uint8Array[] = [];
    let offset = this.end;
    for (let index = 0; index < count; index++) {
      this.seed += 1;
      const bytes = batch(offset, {
        count: 1 + (this.seed % 3),
        valueBytes,
        epoch: this.epoch,
        seed: this.seed,
        ...(this.seed % 2 === 0 ? { producerId: 5, baseSequence: this.sequence } : {}),
      });
      if (this.seed % 2 === 0) this.sequence += 1 + (this.seed % 3);
      const nextOffset = offset + 1 + (this.seed % 3);
      this.kept.push({ baseOffset: offset, nextOffset, bytes });
      batches.push(bytes.slice());
      offset = nextOffset;
    }
    this.log.append(concat(batches));
  }

  async cut(step: Extract<Command, { crashTurns: number }>): Promise<void> {
    const { log } = this;
    const from = log.logStartOffset;
    const span = log.logEndOffset - from + 1;
    const target = step.kind === "restart" ? log.logEndOffset + step.ahead : 0;
    const offset = step.kind === "restart" ? target : from + (step.part % span);
    const running =
      step.kind === "truncate"
        ? log.truncateTo(offset)
        : step.kind === "delete"
          ? log.deleteRecordsBefore(offset)
          : log.restartAt(offset);
    if (step.crashTurns < 0) {
      await running;
      this.applyCut(step.kind, offset);
      return await this.checkSame();
    }
    let isDone = false;
    running.then(
      () => {
        isDone = true;
      },
      () => undefined,
    );
    await turns(step.crashTurns);
    if (isDone) {
      this.applyCut(step.kind, offset);
      return await this.crash(step.crashTurns);
    }
    this.noteDurable();
    await this.crashAndOpen(step.crashTurns);
    // Before or after: which of them is up to the crash.
    const isRestarted = this.log.logStartOffset === offset && this.log.logEndOffset === offset;
    if (step.kind === "restart" && isRestarted) this.applyCut("restart", offset);
    if (step.kind === "delete") {
      expect([this.startOffset, offset]).toContain(this.log.logStartOffset);
      this.startAt(this.log.logStartOffset);
    }
    const lowest = step.kind === "truncate" ? Math.min(this.durableEnd, this.cutOf(offset)) : null;
    await this.checkSurvived(lowest ?? Math.min(this.durableEnd, this.end));
  }

  /** The log's end after a truncation to `offset`. */
  cutOf(offset: number): number {
    const cut = this.kept.find((one) => one.nextOffset > Math.max(offset, this.startOffset));
    return Math.max(cut?.baseOffset ?? this.end, this.startOffset);
  }

  applyCut(kind: "truncate" | "delete" | "restart", offset: number): void {
    if (kind === "delete") {
      this.startAt(Math.max(offset, this.startOffset));
      return;
    }
    if (kind === "restart") {
      this.kept = [];
      this.emptyAt = offset;
      this.startOffset = offset;
    } else {
      this.endAt(this.cutOf(offset));
    }
    this.safeEnd = Math.min(this.safeEnd, this.end);
    this.durableEnd = this.end;
  }

  startAt(offset: number): void {
    this.startOffset = offset;
  }

  endAt(offset: number): void {
    if (offset === this.end) return;
    this.kept = this.kept.filter((one) => one.nextOffset <= offset);
    if (this.end !== offset) {
      // A batch that the log's start is inside of went with what was behind it.
      expect(offset).toBe(this.startOffset);
      this.kept = [];
      this.emptyAt = offset;
    }
  }

  noteDurable(): void {
    this.durableEnd = this.#isSynced ? this.log.durableEndOffset : this.safeEnd;
  }

  async crash(seed: number): Promise<void> {
    this.noteDurable();
    await this.crashAndOpen(seed);
    await this.checkSurvived(this.durableEnd);
  }

  async crashAndOpen(seed: number): Promise<void> {
    this.world.crash(seeded(seed));
    await this.open();
  }

  /** Everything up to `lowestEnd` must be there; what follows may be. */
  async checkSurvived(lowestEnd: number): Promise<void> {
    expect(this.log.recovery.damaged).toBeUndefined();
    expect(this.log.logEndOffset).toBeGreaterThanOrEqual(lowestEnd);
    expect(this.log.logEndOffset).toBeLessThanOrEqual(this.end);
    this.endAt(this.log.logEndOffset);
    this.durableEnd = this.end;
    await this.checkSame();
  }

  async checkSame(): Promise<void> {
    expect(this.log.logEndOffset).toBe(this.end);
    expect(this.log.logStartOffset).toBe(this.startOffset);
    expect(this.log.highWatermark).toBeLessThanOrEqual(this.end);
    await this.checkContents();
    this.checkDerived();
  }

  async checkContents(): Promise<void> {
    const expected = this.kept.filter((one) => one.nextOffset > this.log.logStartOffset);
    const found = await readAll(this.log, this.log.logStartOffset, 700);
    expect(Buffer.compare(found, concat(expected.map((one) => one.bytes)))).toBe(0);
    expect(this.world.damages).toEqual([]);
    expect(this.world.failures).toEqual([]);
  }

  /** Epochs and producers are what the records say. */
  checkDerived(): void {
    const epochs = new LeaderEpochs();
    const producers = new ProducerStates();
    for (const { bytes, baseOffset } of this.kept) {
      epochs.assign(leaderEpoch(bytes, 0), baseOffset);
      producers.observe(producerBatch(bytes, 0));
    }
    epochs.truncateFromStart(this.startOffset);
    const live = this.log.epochs.entries.filter((entry) => entry.startOffset < this.end);
    const due = epochs.entries.filter((entry) => entry.startOffset < this.end);
    expect(live).toEqual(due);
    // Of what is deleted before a truncation takes the snapshots, nobody can know any more.
    const last = (states: ProducerStates): unknown =>
      states
        .snapshot()
        .producers.map((one) => one.batches.at(-1))
        .filter((one) => (one?.lastOffset ?? -1) >= this.startOffset);
    expect(last(this.log.producers)).toEqual(last(producers));
    this.sequence = nextSequence(producers);
  }
}

function nextSequence(producers: ProducerStates): number {
  return (producers.snapshot().producers[0]?.batches.at(-1)?.lastSequence ?? -1) + 1;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

const RUNS = Number(process.env["STRANDLINE_RUNS"] ?? 200);

describe("a log under any sequence of events", () => {
  it("keeps what it acknowledged and nothing else", { timeout: 60_000 + RUNS * 60 }, async () => {
    await fc.assert(
      fc.asyncProperty(commands, fc.boolean(), async (steps, isSynced) => {
        const model = new Model(isSynced);
        await model.open();
        for (const step of steps) await model.run(step);
        await model.run({ kind: "settle" });
        await model.run({ kind: "reopen" });
      }),
      { numRuns: RUNS },
    );
  });
});
