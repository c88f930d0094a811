/**
 * Offsets that nobody will ask for again. Counted from when the group became empty, not from the
 * last commit: a group that reads a quiet topic commits nothing for weeks and must not start over.
 */
import type { Group } from "../group.js";
import type { OffsetValue } from "../records/offset-value.js";
import { DELETIONS_MAX } from "../step-limits.js";
import type { Work } from "../work.js";
import { dropOffset } from "./committing.js";

/** Drops from the group what has expired. */
export function expireOffsets(work: Work, group: Group): void {
  for (const { topic, partition, value } of [...group.offsets.entries()]) {
    // The others are found again by the next step.
    if (work.records.length >= DELETIONS_MAX) return;
    if (hasExpired(work, group, { topic, value })) dropOffset(work, group, { topic, partition });
  }
}

/** True for a group that holds nothing: no member, nobody who may become one, no offset. */
export function isSpent(group: Group): boolean {
  return group.state === "Empty" && group.pending.size === 0 && group.offsets.isEmpty;
}

interface Kept {
  readonly topic: string;
  readonly value: OffsetValue;
}

function hasExpired(work: Work, group: Group, { topic, value }: Kept): boolean {
  const unusedSinceMs = unusedSince(group, { topic, value });
  if (unusedSinceMs === undefined) return false;
  if (value.expiresAtMs !== undefined) return work.now.wallMs >= value.expiresAtMs;
  return work.now.wallMs - unusedSinceMs >= work.config.offsetsRetentionMs;
}

/** From when the retention counts; undefined while a member may need the offset. */
function unusedSince(group: Group, { topic, value }: Kept): number | undefined {
  // No member was ever seen: whoever commits here is alive as long as it commits.
  if (group.protocolType === undefined) return value.committedAtMs;
  if (group.state === "Empty") return group.stateSinceMs ?? value.committedAtMs;
  if (group.state !== "Stable" || group.subscribed === undefined) return undefined;
  if (!group.usesConsumerProtocol || group.subscribed.has(topic)) return undefined;
  return value.committedAtMs;
}
