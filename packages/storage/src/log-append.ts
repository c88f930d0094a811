/** The hot path: batches into memory, into the indexes, and to the writer. Never waits. */
import { assert, INT32_MAX } from "@strandline/model";
import { baseOffset, batchBytes, lastOffset, leaderEpoch, producerId } from "@strandline/record";
import { noteBatch } from "./index-files.js";
import type { LogContents } from "./log-contents.js";
import { CHECKPOINT_BYTES } from "./log-options.js";
import { producerBatch } from "./replay.js";

/** Appends whole batches that continue the log. Returns whether a checkpoint is due. */
export function appendToLog(log: LogContents, batches: Uint8Array): boolean {
  log.requireUsable();
  assert(!log.isCutting, "nothing is appended while the end of the log moves");
  assert(batches.length > 0, "an append has a batch");
  const nowMs = log.ports.clock.wallMs();
  let isRolled = false;
  let start = 0;
  let at = 0;
  while (at < batches.length) {
    const sizeBytes = batchBytes(batches, at);
    const last = lastOffset(batches, at);
    const gap = baseOffset(batches, at) - log.logEndOffset;
    assert(gap === 0 || (gap > 0 && log.hasGaps), "an append continues the log");
    assert(sizeBytes > 0 && at + sizeBytes <= batches.length, "an append has whole batches");
    if (mustRoll(log, sizeBytes, last, nowMs)) {
      enqueue(log, batches, start, at);
      start = at;
      rollSegment(log);
      isRolled = true;
    }
    note(log, batches, at, nowMs);
    at += sizeBytes;
  }
  enqueue(log, batches, start, at);
  log.bytesSinceSnapshot += batches.length;
  log.bytesSinceCheckpoint += batches.length;
  log.recent.evict(log.config.tailBytesMax, log.writer.durableEndOffset);
  if (!isRolled && log.bytesSinceCheckpoint < CHECKPOINT_BYTES) return false;
  log.bytesSinceCheckpoint = 0;
  return true;
}

/** Begins a new segment; what is remembered of the old one is to be stored soon. */
export function rollSegment(log: LogContents): void {
  const { active } = log;
  active.seal();
  active.usedAtMs = log.ports.clock.monotonicMs();
  log.unsealed = [...log.unsealed, active];
  log.segments = [...log.segments, log.newSegment(log.logEndOffset)];
}

function mustRoll(log: LogContents, sizeBytes: number, last: number, nowMs: number): boolean {
  const { active, config } = log;
  if (active.sizeBytes === 0) return false;
  const segmentBytesMax = Math.min(config.segmentBytesMax, INT32_MAX);
  return (
    active.sizeBytes + sizeBytes > segmentBytesMax ||
    last - active.baseOffset > INT32_MAX ||
    nowMs - active.firstAppendMs >= config.segmentMs
  );
}

/** The bookkeeping of one batch that goes to the active segment. */
function note(log: LogContents, batches: Uint8Array, at: number, nowMs: number): void {
  const epoch = leaderEpoch(batches, at);
  if (epoch !== log.epochs.latest) log.epochs.assign(epoch, baseOffset(batches, at));
  if (producerId(batches, at) >= 0) log.producers.observe(producerBatch(batches, at));
  const { active } = log;
  if (active.firstAppendMs < 0) active.firstAppendMs = nowMs;
  active.lastAppendMs = nowMs;
  noteBatch(active, batches, at, log.config.indexIntervalBytes);
  log.logEndOffset = active.nextOffset;
}

/** Hands what was noted to memory and to the writer. */
function enqueue(log: LogContents, batches: Uint8Array, from: number, to: number): void {
  if (from === to) return;
  const chunk = from === 0 && to === batches.length ? batches : batches.subarray(from, to);
  log.recent.push(chunk, baseOffset(chunk, 0), log.logEndOffset);
  log.writer.append(log.active, chunk, log.logEndOffset);
}
