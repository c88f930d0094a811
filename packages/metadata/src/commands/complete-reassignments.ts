/** Ends the reassignments whose new replicas have all caught up: the replaced ones go. */
import { inSyncReplicasMin } from "../config-resolution.js";
import { accept, type Decision } from "../decision.js";
import { standingIn } from "../election.js";
import { isReassigned, type MetadataImage } from "../image.js";
import { assignmentStep } from "../partition-rules.js";
import { completed } from "../reassignment.js";
import type { PartitionReassignedRecord } from "../records.js";

export interface CompleteReassignmentsCommand {
  readonly kind: "complete-reassignments";
}

export interface CompleteReassignmentsResponse {
  readonly kind: "complete-reassignments";
  /** Partitions that have their new assignment now. */
  readonly completed: number;
  /** Partitions whose new replicas are still behind. */
  readonly underWay: number;
}

export function decideCompleteReassignments(
  image: MetadataImage,
): Decision<CompleteReassignmentsResponse> {
  const standingOf = standingIn(image);
  const records: PartitionReassignedRecord[] = [];
  let underWay = 0;
  for (const topic of image.topics.values()) {
    topic.partitions.forEach((partition, index) => {
      if (!isReassigned(partition)) return;
      const configuredMin = inSyncReplicasMin(image, topic.name);
      const target = completed(partition, { configuredMin, standingOf });
      if (target === undefined) underWay += 1;
      else records.push(assignmentStep({ topicId: topic.id, partition: index }, partition, target));
    });
  }
  const response = { kind: "complete-reassignments" as const, completed: records.length, underWay };
  return accept(response, records);
}

export function decodeCompleteReassignments(): CompleteReassignmentsCommand {
  return { kind: "complete-reassignments" };
}
