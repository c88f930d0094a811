/** A node has caught up with the metadata: it may serve, and leads where only it was missed. */
import type { NodeId } from "@strandline/model";
import { effectiveInSyncMin, inSyncReplicasMin } from "../config-resolution.js";
import { accept, type Decision } from "../decision.js";
import { standingIn, withLeader } from "../election.js";
import type { MetadataImage } from "../image.js";
import type { JsonObject } from "../json.js";
import { partitionChange } from "../partition-rules.js";
import type { MetadataRecord } from "../records.js";
import {
  decodeIncarnation,
  isRefused,
  type NodeIncarnation,
  registrationOf,
} from "./node-incarnation.js";

export interface UnfenceNodeCommand extends NodeIncarnation {
  readonly kind: "unfence-node";
}

export interface UnfenceNodeResponse {
  readonly kind: "unfence-node";
  readonly nodeId: NodeId;
}

export function decideUnfenceNode(
  image: MetadataImage,
  command: UnfenceNodeCommand,
): Decision<UnfenceNodeResponse> {
  const node = registrationOf(image, command);
  if (isRefused(node)) return node;
  const response = { kind: "unfence-node" as const, nodeId: node.id };
  if (!node.isFenced) return accept(response);
  const standing = node.isStopping ? "stopping" : "usable";
  const standingOf = standingIn(image, { id: node.id, standing });
  const records: MetadataRecord[] = [
    { type: "node-unfenced", version: 1, nodeId: node.id, brokerEpoch: node.brokerEpoch },
  ];
  for (const topic of image.topics.values()) {
    const configured = inSyncReplicasMin(image, topic.name);
    topic.partitions.forEach((partition, index) => {
      if (partition.leader !== -1 || !partition.elr.includes(node.id)) return;
      const inSyncMin = effectiveInSyncMin(configured, partition);
      const target = withLeader(partition.replicas, partition, { inSyncMin, standingOf });
      const record = partitionChange({ topicId: topic.id, partition: index }, partition, target);
      if (record !== undefined) records.push(record);
    });
  }
  return accept(response, records);
}

export function decodeUnfenceNode(json: JsonObject): UnfenceNodeCommand {
  return { kind: "unfence-node", ...decodeIncarnation(json) };
}
