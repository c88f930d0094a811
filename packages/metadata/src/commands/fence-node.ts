/**
 * A node was not heard from for a session: it serves nobody until it is back. Its log is trusted:
 * silence says nothing about the disk.
 */
import type { NodeId } from "@strandline/model";
import { accept, type Decision } from "../decision.js";
import { departureRecords } from "../departure.js";
import type { MetadataImage } from "../image.js";
import type { JsonObject } from "../json.js";
import {
  decodeIncarnation,
  isRefused,
  type NodeIncarnation,
  registrationOf,
} from "./node-incarnation.js";

export interface FenceNodeCommand extends NodeIncarnation {
  readonly kind: "fence-node";
}

export interface FenceNodeResponse {
  readonly kind: "fence-node";
  readonly nodeId: NodeId;
}

export function decideFenceNode(
  image: MetadataImage,
  command: FenceNodeCommand,
): Decision<FenceNodeResponse> {
  const node = registrationOf(image, command);
  if (isRefused(node)) return node;
  const response = { kind: "fence-node" as const, nodeId: node.id };
  if (node.isFenced) return accept(response);
  return accept(response, [
    { type: "node-fenced", version: 1, nodeId: node.id, brokerEpoch: node.brokerEpoch },
    ...departureRecords(image, node.id, () => "whole"),
  ]);
}

export function decodeFenceNode(json: JsonObject): FenceNodeCommand {
  return { kind: "fence-node", ...decodeIncarnation(json) };
}
