/**
 * Moves the recovery point of a log: everything up to its end is made durable first, then what a
 * restart needs is written in one batch. Until that batch is stored, the old point is in force.
 */
import type { KeyValueOperation } from "@strandline/platform";
import { encode, type LogState } from "./log-checkpoints.js";
import type { LogContents } from "./log-contents.js";
import type { Segment } from "./segment.js";

/** Snapshots kept of the newest, and of those taken where a segment begins. */
const SNAPSHOTS_KEPT = 3;
const SEGMENT_SNAPSHOTS_KEPT = 2;

/** So many bytes appended are looked through at a recovery for less than a snapshot costs. */
const SNAPSHOT_BYTES_MIN = 64 * 1024;

/**
 * So far may the stored index of the active segment stay behind. After a crash a read in there walks
 * over as many bytes, and damage in there is told less exactly; for that, the routine checkpoint of
 * a busy partition, one of a thousand, opens two files less.
 */
const INDEX_LAG_BYTES_MAX = 4 * 1024 * 1024;

export interface CheckpointOptions {
  /** The log is being closed or was just opened: durable when it resolves, nothing left out. */
  readonly isFinal: boolean;
  /** One of many, by the clock: the stored index of the active segment may stay behind a little. */
  readonly isRoutine?: boolean;
}

/** Runs alone: nothing is cut or removed meanwhile, but appends go on. */
export async function checkpointLog(log: LogContents, options: CheckpointOptions): Promise<void> {
  // All of this is as of one moment, and before any wait.
  const endOffset = log.logEndOffset;
  const { active } = log;
  const unsealed = log.unsealed;
  const recoveryPoint = {
    offset: endOffset,
    baseOffset: active.baseOffset,
    position: active.sizeBytes,
  };
  const captured: LogState = { ...log.state(), recoveryPoint, active: active.facts };
  const snapshot = takeSnapshot(log, options);
  await log.writer.durable(endOffset);
  // Also where appends are not synced: the recovery point promises it.
  for (const segment of log.segments) {
    if (segment.syncedBytes < segment.writtenBytes) await log.writer.syncSegment(segment);
  }
  if (log.writer.failure !== undefined) throw log.writer.failure;
  await storeIndexes(log, unsealed, options.isRoutine === true);
  // What moved during the waits and may only grow.
  const { highWatermark, logStartOffset } = log;
  const state = {
    ...captured,
    highWatermark: Math.min(highWatermark, endOffset),
    logStartOffset,
    isClean: log.isClosed,
  };
  if (!options.isFinal && unsealed.length === 0 && snapshot === undefined) {
    if (log.checkpoints.isWritten(state)) return;
  }
  const operations: KeyValueOperation[] = [log.checkpoints.putState(state)];
  for (const segment of unsealed) {
    operations.push(log.checkpoints.putSegment(segment.baseOffset, segment.facts));
  }
  const kept = snapshot === undefined ? undefined : keptSnapshots(log, endOffset);
  if (snapshot !== undefined && kept !== undefined) {
    operations.push(log.checkpoints.putProducers(endOffset, snapshot));
    for (const offset of log.producerOffsets) {
      if (!kept.includes(offset)) operations.push(log.checkpoints.deleteProducers(offset));
    }
  }
  if (log.writer.failure !== undefined) throw log.writer.failure;
  await log.checkpoints.write(operations, { sync: options.isFinal });
  log.recoveryPoint = recoveryPoint;
  log.unsealed = log.unsealed.filter((segment) => !unsealed.includes(segment));
  if (kept !== undefined) log.producerOffsets = kept;
}

/**
 * The producers as of the log's end. Left out while fewer bytes were appended than it would take,
 * so that a partition of many producers does not write more of these than of records.
 */
function takeSnapshot(log: LogContents, options: CheckpointOptions): Uint8Array | undefined {
  const isRolled = log.unsealed.length > 0;
  const isDue = log.bytesSinceSnapshot >= Math.max(log.snapshotBytes, SNAPSHOT_BYTES_MIN);
  const isMissing = log.producerOffsets.length === 0;
  const isStale = options.isFinal && log.producerOffsets.at(-1) !== log.logEndOffset;
  if (!isRolled && !isDue && !isMissing && !isStale) return undefined;
  const snapshot = encode(log.producers.snapshot());
  log.snapshotBytes = snapshot.length;
  log.bytesSinceSnapshot = 0;
  return snapshot;
}

/** The snapshots to keep, with a new one at `endOffset`: recent ones, and some to cut back to. */
function keptSnapshots(log: LogContents, endOffset: number): number[] {
  const all = [...new Set([...log.producerOffsets, endOffset])].sort((a, b) => a - b);
  const bases = new Set(log.segments.map((segment) => segment.baseOffset));
  const atBases = all.filter((offset) => bases.has(offset)).slice(-SEGMENT_SNAPSHOTS_KEPT);
  const newest = all.slice(-SNAPSHOTS_KEPT);
  return all.filter((offset) => newest.includes(offset) || atBases.includes(offset));
}

/** Log of the active segment that its stored index does not know. */
function indexLagBytes({ active, config }: LogContents): number {
  const entries = (active.indexes?.offsets.entryCount ?? 0) - active.storedOffsetEntries;
  return entries * config.indexIntervalBytes;
}

/** An index that could not be written is rebuilt some day: that is no reason to fail. */
async function storeIndexes(
  log: LogContents,
  unsealed: readonly Segment[],
  mayLag: boolean,
): Promise<void> {
  try {
    for (const segment of unsealed) await log.indexFiles.store(segment, { sync: true });
    if (mayLag && indexLagBytes(log) < INDEX_LAG_BYTES_MAX) return;
    // Not synced: what a power cut makes of it shows, and only costs a walk.
    await log.indexFiles.store(log.active, { sync: false });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.ports.logger.warn({ directory: log.directory, error: message }, "could not store an index");
  }
}
