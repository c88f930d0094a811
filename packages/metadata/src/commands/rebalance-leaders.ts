/** Moves leaderships back to the preferred replicas that can take them without loss. */
import { accept, type Decision } from "../decision.js";
import { isUsable, type MetadataImage } from "../image.js";
import { partitionStep } from "../partition-rules.js";
import type { PartitionChangedRecord } from "../records.js";

export interface RebalanceLeadersCommand {
  readonly kind: "rebalance-leaders";
}

export interface RebalanceLeadersResponse {
  readonly kind: "rebalance-leaders";
  /** Leaderships that move. */
  readonly moved: number;
}

export function decideRebalanceLeaders(image: MetadataImage): Decision<RebalanceLeadersResponse> {
  const records: PartitionChangedRecord[] = [];
  for (const topic of image.topics.values()) {
    topic.partitions.forEach((partition, index) => {
      const { leader, isr, elr } = partition;
      const preferred = partition.replicas[0];
      if (preferred === undefined || leader === preferred) return;
      if (!isr.includes(preferred) || !isUsable(image.nodes.get(preferred))) return;
      const at = { topicId: topic.id, partition: index };
      records.push(partitionStep(at, partition, { isr, elr, leader: preferred }));
    });
  }
  return accept({ kind: "rebalance-leaders", moved: records.length }, records);
}

export function decodeRebalanceLeaders(): RebalanceLeadersCommand {
  return { kind: "rebalance-leaders" };
}
