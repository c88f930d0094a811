/**
 * Puts back what was damaged, from another replica.
 *
 * Replicas hold the same batches, so the bytes fit exactly where the damaged ones stood. They are
 * written in place: a crash half way leaves a damage that the next read finds again. Only where
 * replicas are compacted, each for itself, the others' bytes may be more or fewer: then the
 * segment is written anew around them.
 */
import { BrokerError } from "@strandline/model";
import { baseOffset, batchBytes, batchProblem, nextOffset } from "@strandline/record";
import { CheckedStretches } from "./checked-stretches.js";
import type { Damage } from "./damage.js";
import type { LogContents } from "./log-contents.js";
import { asError } from "./log-writer.js";
import { rewriteRepaired } from "./repaired-file.js";

/**
 * Replaces the start of the first damaged range by `batches`: whole batches that begin where it
 * begins. May be called with one part of the range after the other. `coveredTo` says how far they
 * go when that is not where the last one ends, because a compaction has left nothing behind it.
 */
export async function repairLog(
  log: LogContents,
  batches: Uint8Array,
  coveredTo: number | undefined,
): Promise<void> {
  log.requireUsable();
  const damage = log.damages.first;
  if (damage === undefined) throw refusal("nothing is damaged");
  const endOffset = endOfRepair(log, damage, { batches, coveredTo });
  const { segment, fromPosition, toPosition, toOffset } = damage;
  const position = fromPosition + batches.length;
  const isDone = endOffset === toOffset;
  if (toPosition !== undefined && (isDone ? position !== toPosition : position >= toPosition)) {
    if (isCompacted(log)) return await rewriteRepaired(log, damage, { batches, endOffset });
    throw refusal(`the batches do not fill positions ${fromPosition} to ${toPosition}`);
  }
  if (isCompacted(log)) await allowGaps(log);
  await write(log, damage, batches);
  if (toPosition === undefined) {
    segment.sizeBytes = position;
    segment.writtenBytes = position;
    segment.syncedBytes = position;
  }
  const left = log.damages.of(segment).filter((one) => one !== damage);
  if (!isDone) left.push({ ...damage, fromOffset: endOffset, fromPosition: position });
  log.damages.replace(segment, left);
  if (!isDone) return;
  segment.checked = new CheckedStretches();
  // What the indexes say of this stretch was lost with it, or was never known.
  if (segment.isSealed) segment.indexes = undefined;
  await log.indexFiles.remove(segment.baseOffset);
  segment.storedOffsetEntries = 0;
  segment.storedTimeEntries = 0;
  if (!segment.isSealed) return;
  const operation = log.checkpoints.putSegment(segment.baseOffset, segment.facts);
  await log.checkpoints.write([operation], { sync: true });
}

/** Offsets may be left out here, or at the replica that the batches came from. */
function isCompacted(log: LogContents): boolean {
  return log.hasGaps || log.config.compaction !== undefined;
}

/** Checks the batches; returns the offset after them. */
function endOfRepair(
  log: LogContents,
  damage: Damage,
  repair: { readonly batches: Uint8Array; readonly coveredTo: number | undefined },
): number {
  const { batches, coveredTo } = repair;
  let offset = damage.fromOffset;
  if (batches.length === 0 && coveredTo === undefined) throw refusal("there are no batches");
  for (let at = 0; at < batches.length; at += batchBytes(batches, at)) {
    const problem = batchProblem(batches, at, batches.length, log.ports.crc32c);
    if (problem !== undefined) throw refusal(problem.message);
    const gap = baseOffset(batches, at) - offset;
    if (gap < 0 || (gap > 0 && !isCompacted(log))) {
      throw refusal(`offset ${baseOffset(batches, at)} stands where ${offset} is due`);
    }
    offset = nextOffset(batches, at);
  }
  if (coveredTo !== undefined && coveredTo > offset) {
    if (!isCompacted(log)) throw refusal(`there are no batches from ${offset} on`);
    offset = coveredTo;
  }
  if (offset > damage.toOffset) throw refusal(`the damage ends at ${damage.toOffset}`);
  return offset;
}

/** Offsets may be left out between batches from now on. Durable when it resolves. */
export async function allowGaps(log: LogContents): Promise<void> {
  log.requireUsable();
  if (log.hasGaps) return;
  await log.checkpoints.write([log.checkpoints.putState({ ...log.state(), hasGaps: true })], {
    sync: true,
  });
  log.hasGaps = true;
}

async function write(log: LogContents, damage: Damage, batches: Uint8Array): Promise<void> {
  const { segment, fromPosition } = damage;
  try {
    const handle = await segment.file.acquire({ create: true });
    try {
      await handle.write([batches], fromPosition);
      await handle.dataSync();
    } finally {
      segment.file.release();
    }
    if (segment.isCreated) return;
    await log.ports.fileSystem.syncDirectory(log.directory);
    segment.isCreated = true;
  } catch (error) {
    log.writer.fail(asError(error));
    throw error;
  }
}

function refusal(reason: string): BrokerError {
  return new BrokerError("CORRUPT_MESSAGE", `the repair is refused: ${reason}`);
}
