/**
 * A node asks to stop: its leaderships move to other in-sync replicas, and it leaves the ISRs that
 * stay at their minimum without it. Where they would not, it stays in sync to its end: writes go
 * on meanwhile. Asked again and again until nothing is left to move.
 */
import type { NodeId } from "@strandline/model";
import { effectiveInSyncMin, inSyncReplicasMin } from "../config-resolution.js";
import { accept, type Decision } from "../decision.js";
import { type StandingOf, standingIn } from "../election.js";
import type { MetadataImage, Partition } from "../image.js";
import type { JsonObject } from "../json.js";
import { eligibleAfter, type PartitionTarget, partitionChange } from "../partition-rules.js";
import type { MetadataRecord } from "../records.js";
import {
  decodeIncarnation,
  isRefused,
  type NodeIncarnation,
  registrationOf,
} from "./node-incarnation.js";

export interface NodeStoppingCommand extends NodeIncarnation {
  readonly kind: "node-stopping";
}

export interface NodeStoppingResponse {
  readonly kind: "node-stopping";
  readonly nodeId: NodeId;
  /** Partitions it still leads: nobody else alive is in sync. */
  readonly leads: number;
  /** Those of them where a live replica may yet catch up: worth asking again for. */
  readonly leadsMovable: number;
}

export function decideNodeStopping(
  image: MetadataImage,
  command: NodeStoppingCommand,
): Decision<NodeStoppingResponse> {
  const node = registrationOf(image, command);
  if (isRefused(node)) return node;
  const { id: nodeId, brokerEpoch } = node;
  const standingOf = standingIn(image, {
    id: nodeId,
    standing: node.isFenced ? "absent" : "stopping",
  });
  const records: MetadataRecord[] = node.isStopping
    ? []
    : [{ type: "node-stopping", version: 1, nodeId, brokerEpoch }];
  let leads = 0;
  let leadsMovable = 0;
  for (const topic of image.topics.values()) {
    const configured = inSyncReplicasMin(image, topic.name);
    topic.partitions.forEach((partition, index) => {
      if (!partition.isr.includes(nodeId)) return;
      const inSyncMin = effectiveInSyncMin(configured, partition);
      const target = handedOver(partition, nodeId, { inSyncMin, standingOf });
      if (target.leader === nodeId) {
        leads += 1;
        if (partition.replicas.some((id) => standingOf(id) === "usable")) leadsMovable += 1;
      }
      const record = partitionChange({ topicId: topic.id, partition: index }, partition, target);
      if (record !== undefined) records.push(record);
    });
  }
  return accept({ kind: "node-stopping", nodeId, leads, leadsMovable }, records);
}

function handedOver(
  partition: Partition,
  node: NodeId,
  rules: { readonly inSyncMin: number; readonly standingOf: StandingOf },
): PartitionTarget {
  const { replicas, isr, elr } = partition;
  let { leader } = partition;
  if (leader === node) {
    const next = replicas.find((id) => isr.includes(id) && rules.standingOf(id) === "usable");
    if (next === undefined) return { isr, elr, leader };
    leader = next;
  }
  const rest = isr.filter((id) => id !== node);
  if (rest.length < rules.inSyncMin) return { isr, elr, leader };
  return { isr: rest, elr: eligibleAfter(partition, rest, rules.inSyncMin), leader };
}

export function decodeNodeStopping(json: JsonObject): NodeStoppingCommand {
  return { kind: "node-stopping", ...decodeIncarnation(json) };
}
