/**
 * A node's disk failed: it is fenced, and its log is doubted. After a failed sync the pages in
 * memory may differ from the disk, so it has to catch up from others before it counts again; only
 * where nobody else holds what is committed it stays eligible, because every record it
 * acknowledged was synced before the failure.
 */
import type { NodeId } from "@strandline/model";
import { accept, type Decision } from "../decision.js";
import { departureRecords } from "../departure.js";
import type { MetadataImage } from "../image.js";
import type { JsonObject } from "../json.js";
import type { MetadataRecord } from "../records.js";
import {
  decodeIncarnation,
  isRefused,
  type NodeIncarnation,
  registrationOf,
} from "./node-incarnation.js";

export interface NodeFailedCommand extends NodeIncarnation {
  readonly kind: "node-failed";
}

export interface NodeFailedResponse {
  readonly kind: "node-failed";
  readonly nodeId: NodeId;
}

export function decideNodeFailed(
  image: MetadataImage,
  command: NodeFailedCommand,
): Decision<NodeFailedResponse> {
  const node = registrationOf(image, command);
  if (isRefused(node)) return node;
  const { id: nodeId, brokerEpoch } = node;
  const fenced: MetadataRecord[] = node.isFenced
    ? []
    : [{ type: "node-fenced", version: 1, nodeId, brokerEpoch }];
  return accept({ kind: "node-failed", nodeId }, [
    ...fenced,
    ...departureRecords(image, nodeId, () => "doubtful"),
  ]);
}

export function decodeNodeFailed(json: JsonObject): NodeFailedCommand {
  return { kind: "node-failed", ...decodeIncarnation(json) };
}
