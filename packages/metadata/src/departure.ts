/**
 * A node that no longer counts: what happens to the partitions it was in sync for or led. One way
 * for fencing, failed disks and new incarnations, which differ only in how far its log is trusted.
 */
import type { NodeId } from "@strandline/model";
import { effectiveInSyncMin, inSyncReplicasMin } from "./config-resolution.js";
import { type StandingOf, standingIn, withLeader } from "./election.js";
import type { MetadataImage, Partition, Topic } from "./image.js";
import { eligibleAfter, type PartitionTarget, partitionChange } from "./partition-rules.js";
import type { PartitionChangedRecord } from "./records.js";

/**
 * whole: it still holds whatever was acknowledged, so it may be eligible.
 * doubtful: trusted only where nobody else holds what is committed.
 * lost: records may be missing; it is never eligible.
 */
export type LogTrust = "whole" | "doubtful" | "lost";

/** Takes a node out of every ISR (and ELR, by its trust), and lets others lead. */
export function departureRecords(
  image: MetadataImage,
  node: NodeId,
  trustOf: (topic: Topic) => LogTrust,
): PartitionChangedRecord[] {
  const standingOf = standingIn(image, { id: node, standing: "absent" });
  const records: PartitionChangedRecord[] = [];
  for (const topic of image.topics.values()) {
    let rules: TopicRules | undefined;
    topic.partitions.forEach((partition, index) => {
      if (!partition.isr.includes(node) && !partition.elr.includes(node)) return;
      rules ??= {
        configuredMin: inSyncReplicasMin(image, topic.name),
        trust: trustOf(topic),
        standingOf,
      };
      const target = withoutNode(partition, node, rules);
      const record = partitionChange({ topicId: topic.id, partition: index }, partition, target);
      if (record !== undefined) records.push(record);
    });
  }
  return records;
}

interface TopicRules {
  readonly configuredMin: number;
  readonly trust: LogTrust;
  readonly standingOf: StandingOf;
}

function withoutNode(partition: Partition, node: NodeId, rules: TopicRules): PartitionTarget {
  const inSyncMin = effectiveInSyncMin(rules.configuredMin, partition);
  const isr = partition.isr.filter((id) => id !== node);
  const eligible = eligibleAfter(partition, isr, inSyncMin);
  const others = eligible.filter((id) => id !== node);
  // Without the last holder nobody could ever lead again without loss: better doubted than gone.
  const isLastHolder = isr.length === 0 && others.length === 0;
  const isKept = rules.trust === "whole" || (rules.trust === "doubtful" && isLastHolder);
  return withLeader(
    partition.replicas,
    {
      isr,
      elr: isKept ? eligible : others,
      leader: partition.leader === node ? -1 : partition.leader,
    },
    { inSyncMin, standingOf: rules.standingOf },
  );
}
