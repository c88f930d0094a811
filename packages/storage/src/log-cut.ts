/**
 * What takes records out of a log: at its end (truncation), at its start (retention, deletion of
 * records), or all of them (a new beginning).
 *
 * The order is always the same: the store says so first, so that a crash in between leaves what
 * recovery can finish or undo; then memory, in one step without a wait; then the files.
 */
import { assert, BrokerError } from "@strandline/model";
import type { FileHandle, KeyValueOperation } from "@strandline/platform";
import { lastOffset } from "@strandline/record";
import { LeaderEpochs, ProducerStates } from "@strandline/replication";
import { walkBatches } from "./batch-walk.js";
import { checkpointLog } from "./checkpoint.js";
import { noteBatch } from "./index-files.js";
import { rollSegment } from "./log-append.js";
import type { RecoveryPoint } from "./log-checkpoints.js";
import type { LogContents } from "./log-contents.js";
import { asError } from "./log-writer.js";
import { replayProducers } from "./replay.js";
import { deletableSegments } from "./retention.js";
import type { Segment } from "./segment.js";
import { DELETED_SUFFIX } from "./segment-name.js";

/** Removes every batch that ends after `offset`. */
export async function truncateLog(log: LogContents, offset: number): Promise<void> {
  log.requireUsable();
  const target = Math.max(offset, log.logStartOffset);
  if (target >= log.logEndOffset) return;
  await cutting(log, async () => {
    await log.writer.durable(log.logEndOffset);
    await log.writer.idle();
    const cut = await findCut(log, target);
    await wholly(log, async () => {
      // A batch that begins below the log's start went: nothing that can be read is left.
      if (cut.offset < log.logStartOffset) return await replaceAll(log, log.logStartOffset);
      await storeCut(log, cut);
      const removed = cutMemory(log, cut);
      await cutFiles(log, cut, removed);
      await rebuildProducers(log, cut.offset);
      await checkpointLog(log, { isFinal: false });
    });
  });
}

/** Removes everything; the log begins and ends at `offset`. */
export async function restartLog(log: LogContents, offset: number): Promise<void> {
  log.requireUsable();
  await cutting(log, async () => {
    await log.writer.durable(log.logEndOffset);
    await log.writer.idle();
    await wholly(log, async () => await replaceAll(log, offset));
  });
}

async function replaceAll(log: LogContents, offset: number): Promise<void> {
  const segment = log.newSegment(offset);
  const operations = forgotten(log, log.segments, -1);
  operations.push(
    log.checkpoints.putState({
      version: 1,
      logStartOffset: offset,
      highWatermark: offset,
      recoveryPoint: { offset, baseOffset: offset, position: 0 },
      epochs: [],
      active: segment.facts,
      isClean: false,
      hasGaps: log.hasGaps,
      cleanedTo: offset,
    }),
  );
  await log.checkpoints.write(operations, { sync: true });
  const removed = log.segments;
  log.generation += 1;
  log.cutCount += 1;
  log.recoveryPoint = { offset, baseOffset: offset, position: 0 };
  log.segments = [segment];
  log.unsealed = [];
  log.producerOffsets = [];
  log.logStartOffset = offset;
  log.logEndOffset = offset;
  log.highWatermark = offset;
  log.cleanedTo = offset;
  log.epochs.truncateFromEnd(0);
  log.producers = new ProducerStates();
  log.recent.reset(offset);
  log.writer.reset(offset);
  log.damages.retain(log.segments);
  for (const old of removed) await removeFiles(log, old);
  await log.ports.fileSystem.syncDirectory(log.directory);
}

/** Moves the log's start to `offset`, durably, and removes the segments wholly below it. */
export async function deleteBefore(log: LogContents, offset: number): Promise<void> {
  log.requireUsable();
  if (offset <= log.logStartOffset) return;
  if (offset > log.logEndOffset) {
    const message = `records end at ${log.logEndOffset}, before ${offset}`;
    throw new BrokerError("OFFSET_OUT_OF_RANGE", message);
  }
  await log.writer.durable(offset);
  let count = 0;
  while (count < log.segments.length - 1 && (log.segments[count]?.nextOffset ?? 0) <= offset) {
    count += 1;
  }
  await dropOldest(log, count, offset);
}

/** Begins a new segment when the active one is as old as a segment may grow. */
export function rollIfOld(log: LogContents): void {
  const { active, config } = log;
  const ageMs = log.ports.clock.wallMs() - active.firstAppendMs;
  if (active.sizeBytes > 0 && ageMs >= config.segmentMs) rollSegment(log);
}

/**
 * Rolls the active segment if it is old enough, and deletes the segments that are too many or too
 * old. Returns how many were deleted.
 */
export async function retainLog(log: LogContents, highWatermark: number): Promise<number> {
  log.requireUsable();
  const nowMs = log.ports.clock.wallMs();
  const { retentionMs, retentionBytes } = log.config;
  rollIfOld(log);
  const count = deletableSegments(log.segments, {
    nowMs,
    retentionMs,
    retentionBytes,
    highWatermark: Math.min(highWatermark, log.writer.durableEndOffset),
    logStartOffset: log.logStartOffset,
  });
  if (count === 0) return 0;
  if (count === log.segments.length) rollSegment(log);
  const startOffset = Math.max(log.logStartOffset, log.segments[count]?.baseOffset ?? 0);
  await dropOldest(log, count, startOffset);
  return count;
}

/**
 * Removes the `count` oldest segments, none of them active. Readers lose them at once; their
 * files go after `fileDeleteDelayMs`.
 */
async function dropOldest(log: LogContents, count: number, newStartOffset: number): Promise<void> {
  assert(count < log.segments.length, "the active segment stays");
  const removed = log.segments.slice(0, count);
  const first = log.segments[count] as Segment;
  // The recovery point must not go with its segment; nor the producers: full segments of which
  // nothing is stored yet make this a checkpoint with a snapshot.
  if (log.recoveryPoint.baseOffset < first.baseOffset) await checkpointLog(log, { isFinal: false });
  const epochs = new LeaderEpochs(log.epochs.entries);
  epochs.truncateFromStart(newStartOffset);
  const operations: KeyValueOperation[] = [
    log.checkpoints.putState({
      ...log.state(),
      logStartOffset: newStartOffset,
      highWatermark: Math.max(log.highWatermark, newStartOffset),
      epochs: epochs.entries,
    }),
  ];
  for (const segment of removed) {
    operations.push(log.checkpoints.deleteSegment(segment.baseOffset));
  }
  await log.checkpoints.write(operations, { sync: true });
  log.generation += 1;
  log.segments = log.segments.slice(count);
  log.unsealed = log.unsealed.filter((segment) => !removed.includes(segment));
  log.logStartOffset = newStartOffset;
  log.highWatermark = Math.max(log.highWatermark, newStartOffset);
  log.epochs.truncateFromStart(newStartOffset);
  log.damages.retain(log.segments);
  for (const segment of removed) await removeFiles(log, segment);
}

interface Cut {
  readonly offset: number;
  /** The segment that becomes the last one, and its size. */
  readonly segment: Segment;
  readonly position: number;
}

/** Refuses appends while the end moves. */
async function cutting(log: LogContents, task: () => Promise<void>): Promise<void> {
  log.isCutting = true;
  try {
    await task();
  } finally {
    log.isCutting = false;
  }
}

/** A change that must not stay half done: a failure on the way ends the log. */
export async function wholly(log: LogContents, task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    log.writer.fail(asError(error));
    throw error;
  }
}

/** Where the first batch stands that ends after `target`. */
async function findCut(log: LogContents, target: number): Promise<Cut> {
  const segment = log.segmentAt(target);
  if (segment.baseOffset >= target || segment.writtenBytes === 0) {
    return { offset: segment.baseOffset, segment, position: 0 };
  }
  const handle = await segment.file.acquire({ create: false });
  try {
    segment.indexes = await log.reader.indexes(segment, handle, log.coldOptions(segment));
    const from = segment.indexes.offsets.positionBefore(target);
    const cut =
      (await walkToCut(handle, { segment, from, target })) ??
      // The index led astray, or there is damage on the way: only a walk from the start can tell.
      (await walkToCut(handle, { segment, from: 0, target }));
    if (cut === undefined) {
      const message = `offset ${target} cannot be cut at: there is damage before it`;
      throw new BrokerError("KAFKA_STORAGE_ERROR", message);
    }
    return cut;
  } finally {
    segment.file.release();
  }
}

async function walkToCut(
  handle: FileHandle,
  start: { readonly segment: Segment; readonly from: number; readonly target: number },
): Promise<Cut | undefined> {
  const { segment, from, target } = start;
  const range = {
    from,
    to: segment.writtenBytes,
    fromOffset: segment.baseOffset,
  };
  let offset: number = segment.baseOffset;
  const { problem, position } = await walkBatches(handle, range, (bytes, at) => {
    if (lastOffset(bytes, at) >= target) return false;
    offset = lastOffset(bytes, at) + 1;
    return true;
  });
  return problem === undefined ? { offset, segment, position } : undefined;
}

/** The recovery point must be at or below the cut before a single byte goes. */
async function storeCut(log: LogContents, cut: Cut): Promise<void> {
  const { segment, offset, position } = cut;
  const above = log.segments.filter((one) => one.baseOffset >= segment.baseOffset);
  const operations = forgotten(log, above, offset);
  const lowered: RecoveryPoint = { offset, baseOffset: segment.baseOffset, position };
  if (log.recoveryPoint.offset > offset) log.recoveryPoint = lowered;
  const epochs = new LeaderEpochs(log.epochs.entries);
  epochs.truncateFromEnd(offset);
  const state = log.state();
  const highWatermark = Math.min(log.highWatermark, offset);
  const cleanedTo = Math.min(log.cleanedTo, offset);
  operations.push(
    log.checkpoints.putState({ ...state, highWatermark, cleanedTo, epochs: epochs.entries }),
  );
  await log.checkpoints.write(operations, { sync: true });
}

/** Operations that forget the facts of `segments`, and producer snapshots above `offset`. */
function forgotten(
  log: LogContents,
  segments: readonly Segment[],
  offset: number,
): KeyValueOperation[] {
  const operations = segments.map((one) => log.checkpoints.deleteSegment(one.baseOffset));
  for (const snapshot of log.producerOffsets) {
    if (snapshot > offset) operations.push(log.checkpoints.deleteProducers(snapshot));
  }
  return operations;
}

/** Returns the segments that are no longer part of the log. */
function cutMemory(log: LogContents, cut: Cut): Segment[] {
  const { segment, offset, position } = cut;
  const kept = log.segments.indexOf(segment) + 1;
  const removed = log.segments.slice(kept);
  log.generation += 1;
  log.cutCount += 1;
  log.segments = log.segments.slice(0, kept);
  log.unsealed = log.unsealed.filter((one) => one !== segment && !removed.includes(one));
  log.producerOffsets = log.producerOffsets.filter((snapshot) => snapshot <= offset);
  log.logEndOffset = offset;
  log.highWatermark = Math.min(log.highWatermark, offset);
  log.cleanedTo = Math.min(log.cleanedTo, offset);
  log.epochs.truncateFromEnd(offset);
  log.recent.truncate(offset);
  log.writer.reset(offset);
  const damages = log.damages.of(segment).filter((damage) => damage.fromOffset < offset);
  log.damages.replace(segment, damages);
  log.damages.retain(log.segments);
  segment.setEnd(position, offset);
  cutIndexes(segment, cut);
  segment.isSealed = false;
  segment.checked = segment.checked.upTo(position);
  return removed;
}

function cutIndexes(segment: Segment, cut: Cut): void {
  const { indexes } = segment;
  if (indexes === undefined || cut.position === 0) segment.resetIndexes();
  else {
    indexes.offsets.truncate(cut.position);
    indexes.times.truncate(cut.offset);
  }
  segment.storedOffsetEntries = 0;
  segment.storedTimeEntries = 0;
  segment.maxTimestampMs = segment.indexes?.times.lastTimestampMs ?? -1;
  segment.maxTimestampOffset = segment.indexes?.times.lastOffset ?? -1;
  if (cut.position > 0) return;
  segment.firstAppendMs = -1;
  segment.lastAppendMs = -1;
}

async function cutFiles(log: LogContents, cut: Cut, removed: readonly Segment[]): Promise<void> {
  const { segment, position } = cut;
  // From the end, so that a crash leaves no hole with segments behind it.
  for (const old of removed.toReversed()) await removeFiles(log, old);
  await log.indexFiles.remove(segment.baseOffset);
  // Not `isCreated`: a file whose name may not be durable must be cut all the same.
  if (await log.ports.fileSystem.exists(segment.file.path)) {
    const handle = await segment.file.acquire({ create: false });
    try {
      await handle.truncate(position);
      await handle.dataSync();
      await recount(log, handle, cut);
    } finally {
      segment.file.release();
    }
  }
  await log.ports.fileSystem.syncDirectory(log.directory);
}

/** Counts the batches behind the last index entry that is left. */
async function recount(log: LogContents, handle: FileHandle, cut: Cut): Promise<void> {
  const { segment, offset, position } = cut;
  const from = segment.indexes?.offsets.lastPosition ?? 0;
  const range = {
    from,
    to: position,
    fromOffset: segment.baseOffset,
  };
  segment.sizeBytes = from;
  await walkBatches(handle, range, (bytes, at) => {
    noteBatch(segment, bytes, at, log.config.indexIntervalBytes);
    return true;
  });
  segment.setEnd(position, offset);
}

/** From the last snapshot at or below the log's end, else from the first record that is left. */
async function rebuildProducers(log: LogContents, endOffset: number): Promise<void> {
  let producers = new ProducerStates();
  let fromOffset = (log.segments[0] as Segment).baseOffset;
  for (const offset of log.producerOffsets.toReversed()) {
    const snapshot = await log.checkpoints.producers(offset);
    if (snapshot === undefined) continue;
    producers = ProducerStates.restore(snapshot);
    fromOffset = offset;
    break;
  }
  await replayProducers(producers, log.reader, {
    segments: log.segments,
    fromOffset,
    toOffset: endOffset,
    options: (segment) => log.coldOptions(segment),
  });
  log.producers = producers;
}

/**
 * Takes a segment's files out of the log. The log file goes by another name first and is removed
 * later: who reads it may finish, and a mistake can be undone for a while.
 */
async function removeFiles(log: LogContents, segment: Segment): Promise<void> {
  const { fileSystem } = log.ports;
  const { path } = segment.file;
  log.writer.forget(segment);
  segment.file.retire().catch(() => undefined);
  await log.indexFiles.remove(segment.baseOffset);
  if (!(await fileSystem.exists(path))) return;
  const deletedPath = `${path}${DELETED_SUFFIX}`;
  await fileSystem.rename(path, deletedPath);
  log.removals.add(deletedPath);
}
