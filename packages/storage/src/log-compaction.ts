/**
 * Compacts a log: reads what is dirty, then writes the segments from the log's start anew without
 * the records that a later one supersedes, one group after the other.
 *
 * It works beside everything else, in small pieces with pauses. Only the moment in which new files
 * take the place of old ones runs alone, and asks first whether the old ones are still those that
 * were read. What it has done by then is whole by itself: a round may end anywhere.
 */
import { compressionOf } from "@strandline/record";
import { walkBatches } from "./batch-walk.js";
import { CheckedStretches } from "./checked-stretches.js";
import { CleanedFile } from "./cleaned-file.js";
import type { CompactionPace } from "./compaction-pace.js";
import { type CompactionPlan, groupSegments, planCompaction } from "./compaction-plan.js";
import { CompactionRound } from "./compaction-round.js";
import type { LogContents } from "./log-contents.js";
import type { Segment } from "./segment.js";
import { canSwap, isSettled, swapSegments } from "./segment-swap.js";

/** Bytes read, and at most worked on, between two pauses, unless one batch is larger. */
const PIECE_BYTES = 256 * 1024;

export interface CompactionRequest {
  /** Nothing at or above it is touched: the high watermark, or what of it is decided. */
  readonly endOffset: number;
  /** Random. */
  readonly seed: number;
  /** Keys that are remembered at most: 24 to 64 bytes each. More are left to the next round. */
  readonly keysMax: number;
}

export interface CompactionReport {
  /** Everything below is compacted now. */
  readonly cleanedTo: number;
  readonly recordsDropped: number;
  /** Bytes of the log that are free now. */
  readonly bytesFreed: number;
}

export interface CompactionShell {
  /** Runs a task while nothing else changes the log's files. */
  readonly runAlone: (task: () => Promise<void>) => Promise<void>;
  readonly pace: CompactionPace;
  /** The batch at or behind `offset` is not what was written: to be looked into. */
  readonly onSuspect: (offset: number) => Promise<void>;
}

/** What a round would do now; undefined when none is due. */
export function compactionPlan(
  log: LogContents,
  endOffset: number,
): CompactionPlan<Segment> | undefined {
  const { compaction } = log.config;
  if (compaction === undefined || log.isClosed || log.writer.failure !== undefined)
    return undefined;
  return planCompaction({
    segments: log.segments.slice(0, -1),
    isSettled: (segment) => isSettled(log, segment),
    cleanedTo: log.cleanedTo,
    endOffset: Math.min(endOffset, log.writer.durableEndOffset),
    config: compaction,
    nowMs: log.ports.clock.wallMs(),
  });
}

/** One round, if one is due. Undefined when none is, or when the log changed too much meanwhile. */
export async function compactLog(
  log: LogContents,
  request: CompactionRequest,
  shell: CompactionShell,
): Promise<CompactionReport | undefined> {
  const plan = compactionPlan(log, request.endOffset);
  const { compaction } = log.config;
  if (plan === undefined || compaction === undefined) return undefined;
  const { compressors, crc32c, clock } = log.ports;
  const round = new CompactionRound(plan.fromOffset, {
    keysMax: request.keysMax,
    seed: request.seed,
    nowMs: clock.wallMs(),
    deleteRetentionMs: compaction.deleteRetentionMs,
    producerEnds: producerEnds(log),
    crc32c,
    compression: compressors === undefined ? undefined : compressionOf(compressors),
  });
  return await new Compaction(log, plan, round, shell).run();
}

function producerEnds(log: LogContents): Map<number, number> {
  const ends = new Map<number, number>();
  for (const { producerId, batches } of log.producers.snapshot().producers) {
    ends.set(producerId, batches.at(-1)?.lastOffset ?? -1);
  }
  return ends;
}

class Compaction {
  readonly #log: LogContents;
  readonly #plan: CompactionPlan<Segment>;
  readonly #round: CompactionRound;
  readonly #shell: CompactionShell;
  readonly #cutCount: number;
  #bytesFreed = 0;

  constructor(
    log: LogContents,
    plan: CompactionPlan<Segment>,
    round: CompactionRound,
    shell: CompactionShell,
  ) {
    this.#log = log;
    this.#plan = plan;
    this.#round = round;
    this.#shell = shell;
    this.#cutCount = log.cutCount;
  }

  async run(): Promise<CompactionReport | undefined> {
    const log = this.#log;
    const { fromOffset, segments } = this.#plan;
    for (const segment of segments) {
      if (segment.nextOffset <= fromOffset) continue;
      const end = await this.#index(segment);
      if (end === "gone") return undefined;
      if (end === "full") break;
    }
    const { endOffset } = this.#round;
    if (endOffset <= fromOffset) return undefined;
    const { segmentBytesMax } = log.config;
    for (const group of groupSegments(segments, { segmentBytesMax, endOffset })) {
      if (!(await this.#cleanGroup(group))) return undefined;
    }
    await this.#shell.runAlone(async () => {
      if (!this.#isWanted()) return;
      log.cleanedTo = Math.max(log.cleanedTo, endOffset);
      await log.checkpoints.write([log.checkpoints.putState(log.state())], { sync: true });
    });
    const { droppedCount } = this.#round;
    const bytesFreed = this.#bytesFreed;
    return { cleanedTo: endOffset, recordsDropped: droppedCount, bytesFreed };
  }

  /** First pass over one segment. */
  async #index(segment: Segment): Promise<"whole" | "full" | "gone"> {
    let isFull = false;
    const isWalked = await this.#walk(segment, {
      visit: (bytes, at) => {
        isFull = !this.#round.index(bytes, at);
        return !isFull;
      },
      onPiece: async () => await this.#shell.pace.pause(),
    });
    if (!isWalked) return "gone";
    return isFull ? "full" : "whole";
  }

  /** Writes a group's segments into one, and puts it in their place. False when they changed. */
  async #cleanGroup(group: readonly Segment[]): Promise<boolean> {
    const log = this.#log;
    const first = group[0] as Segment;
    const last = group.at(-1) as Segment;
    // Deleted meanwhile: then there is nothing to do for it.
    if (last.nextOffset <= log.logStartOffset) return true;
    const file = new CleanedFile(log.newSegment(first.baseOffset), group.length > 1, {
      fileSystem: log.ports.fileSystem,
      directory: log.directory,
      indexIntervalBytes: log.config.indexIntervalBytes,
      pause: async () => await this.#shell.pace.pause(),
    });
    let isSwapped = false;
    try {
      for (const segment of group) {
        if (!(await this.#clean(segment, segment === last, file))) return false;
      }
      if (!file.isChanged) return true;
      const { segment: cleaned } = file;
      await file.finish(last.nextOffset);
      cleaned.firstAppendMs = first.firstAppendMs;
      cleaned.lastAppendMs = Math.max(...group.map((segment) => segment.lastAppendMs));
      cleaned.usedAtMs = log.ports.clock.monotonicMs();
      await this.#shell.runAlone(async () => {
        if (!canSwap(log, group)) return;
        // Also if it fails half way: then the next open finishes it, and needs the file.
        isSwapped = true;
        await swapSegments(log, group, cleaned);
      });
      if (!isSwapped) return false;
      const oldBytes = group.reduce((sum, segment) => sum + segment.sizeBytes, 0);
      this.#bytesFreed += oldBytes - cleaned.sizeBytes;
      return true;
    } finally {
      // Whatever ended it early: the file is no part of the log. The next open removes it too.
      if (!isSwapped) await file.abandon().catch(() => undefined);
    }
  }

  /** Second pass over one segment. */
  async #clean(segment: Segment, isLast: boolean, file: CleanedFile): Promise<boolean> {
    const handle = await segment.file.acquire({ create: false });
    try {
      return await this.#walk(segment, {
        visit: (bytes, at, { position, sizeBytes }) => {
          const isEnd = isLast && position + sizeBytes === segment.sizeBytes;
          const verdict = this.#round.clean(bytes, at, isEnd);
          if (verdict.kind === "keep") file.keep(bytes, at);
          else file.replace(verdict.kind === "replace" ? verdict.bytes : undefined);
          return true;
        },
        onPiece: async () => {
          await file.flush(handle);
          await this.#shell.pace.pause();
        },
      });
    } finally {
      segment.file.release();
    }
  }

  /** Shows a segment's batches; false when it is not what it was, or the round is to end. */
  async #walk(
    segment: Segment,
    options: {
      readonly visit: Parameters<typeof walkBatches>[2];
      readonly onPiece: () => Promise<void>;
    },
  ): Promise<boolean> {
    if (!this.#isWanted() || segment.file.isRetired) return false;
    let isWanted = true;
    const handle = await segment.file.acquire({ create: false });
    try {
      const range = {
        from: 0,
        to: segment.sizeBytes,
        fromOffset: segment.baseOffset,
        check: { crc32c: this.#log.ports.crc32c, epochMin: -1, hasGaps: this.#log.hasGaps },
        pieceBytes: PIECE_BYTES,
        onPiece: async () => {
          await options.onPiece();
          isWanted = this.#isWanted();
        },
      };
      const { problem, position, nextOffset } = await walkBatches(
        handle,
        range,
        (bytes, at, batch) => {
          return isWanted && options.visit(bytes, at, batch);
        },
      );
      if (problem === undefined || !isWanted) return isWanted;
      const { path } = segment.file;
      this.#log.ports.logger.error(
        { file: path, position, reason: problem },
        "cannot compact a segment",
      );
      // Read like any other stretch from now on, so that the damage is found and repaired.
      segment.checked = new CheckedStretches();
      await this.#shell.onSuspect(nextOffset);
      return false;
    } finally {
      segment.file.release();
    }
  }

  #isWanted(): boolean {
    const log = this.#log;
    if (log.isClosed || log.writer.failure !== undefined) return false;
    return log.config.compaction !== undefined && log.cutCount === this.#cutCount;
  }
}
