/** What every partition state obeys, whoever made it; and how one follows another. */
import { leaderEpoch, type NodeId, partitionEpoch, type TopicId } from "@strandline/model";
import { sameIds } from "./delta.js";
import type { Partition } from "./image.js";
import type { PartitionChangedRecord, PartitionReassignedRecord } from "./records.js";

/** Who is in sync, who is eligible, who leads: a partition's state without its epochs. */
export interface PartitionTarget {
  readonly isr: readonly NodeId[];
  readonly elr: readonly NodeId[];
  readonly leader: NodeId | -1;
}

/** Returns which rule the state breaks, or undefined when it is sound. */
export function partitionProblem(partition: Partition): string | undefined {
  const { replicas, adding, removing, isr, elr, leader } = partition;
  if (replicas.length === 0) return "a partition has at least one replica";
  for (const [name, ids] of [
    ["replicas", replicas],
    ["replicas that come", adding],
    ["replicas that go", removing],
    ["ISR", isr],
    ["ELR", elr],
  ] as const) {
    if (ids.some((id, at) => ids.indexOf(id) !== at)) return `the ${name} name each node once`;
  }
  if ([...adding, ...removing].some((id) => !replicas.includes(id))) {
    return "only replicas come or go";
  }
  if (adding.some((id) => removing.includes(id))) return "no replica both comes and goes";
  if (adding.length === replicas.length || removing.length === replicas.length) {
    return "a reassignment begins and ends with at least one replica";
  }
  if (isr.some((id) => !replicas.includes(id))) return "the ISR is among the replicas";
  if (elr.some((id) => !replicas.includes(id))) return "the ELR is among the replicas";
  if (elr.some((id) => isr.includes(id))) return "no replica is both in sync and merely eligible";
  if (leader === -1 ? isr.length > 0 : !isr.includes(leader)) {
    return "the leader is in the ISR, and somebody leads while the ISR is not empty";
  }
  return undefined;
}

/**
 * The eligible replicas once the ISR is `isr`. Below the minimum the high watermark stands still,
 * so whoever was in sync or eligible until now still holds everything committed. From the minimum
 * on it may move, and whoever is outside no longer can be trusted.
 */
export function eligibleAfter(
  before: Pick<Partition, "replicas" | "isr" | "elr">,
  isr: readonly NodeId[],
  inSyncMin: number,
): readonly NodeId[] {
  if (isr.length >= inSyncMin) return [];
  return before.replicas.filter(
    (id) => !isr.includes(id) && (before.isr.includes(id) || before.elr.includes(id)),
  );
}

/** The record that takes a partition to `target`; undefined when it is there already. */
export function partitionChange(
  at: { readonly topicId: TopicId; readonly partition: number },
  before: Partition,
  target: PartitionTarget,
): PartitionChangedRecord | undefined {
  const isSame =
    target.leader === before.leader &&
    sameIds(target.isr, before.isr) &&
    sameIds(target.elr, before.elr);
  return isSame ? undefined : partitionStep(at, before, target);
}

/** As {@link partitionChange}, and a step of the partition epoch even when nothing else changes. */
export function partitionStep(
  at: { readonly topicId: TopicId; readonly partition: number },
  before: Partition,
  target: PartitionTarget,
): PartitionChangedRecord {
  const isNewLeader = target.leader !== before.leader;
  return {
    type: "partition-changed",
    version: 1,
    topicId: at.topicId,
    partition: at.partition,
    isr: target.isr,
    elr: target.elr,
    leader: target.leader,
    // One leadership, one epoch: also the time without a leader has a number of its own.
    leaderEpoch: leaderEpoch(before.leaderEpoch + (isNewLeader ? 1 : 0)),
    partitionEpoch: partitionEpoch(before.partitionEpoch + 1),
  };
}

/** A partition's assignment, with the state that goes with it. */
export interface AssignmentTarget extends PartitionTarget {
  readonly replicas: readonly NodeId[];
  readonly adding: readonly NodeId[];
  readonly removing: readonly NodeId[];
}

/** The record that gives a partition another assignment; always a step of the partition epoch. */
export function assignmentStep(
  at: { readonly topicId: TopicId; readonly partition: number },
  before: Partition,
  target: AssignmentTarget,
): PartitionReassignedRecord {
  const { replicas, adding, removing } = target;
  const step = partitionStep(at, before, target);
  return { ...step, type: "partition-reassigned", replicas, adding, removing };
}
