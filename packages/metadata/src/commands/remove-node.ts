/** Forgets a node for good: an operator's command, for one that is down and holds no replica. */
import type { NodeId } from "@strandline/model";
import { accept, type Decision, refuse } from "../decision.js";
import { brokerResource, type MetadataImage } from "../image.js";
import type { JsonObject } from "../json.js";
import { forgottenRecords } from "../static-settings.js";
import { stepsAfter } from "./alter-configs.js";
import { settingRecords } from "./config-changes.js";

export interface RemoveNodeCommand {
  readonly kind: "remove-node";
  readonly nodeId: NodeId;
}

export interface RemoveNodeResponse {
  readonly kind: "remove-node";
  readonly nodeId: NodeId;
}

export function decideRemoveNode(
  image: MetadataImage,
  command: RemoveNodeCommand,
): Decision<RemoveNodeResponse> {
  const node = image.nodes.get(command.nodeId);
  if (node === undefined) {
    return refuse("BROKER_ID_NOT_REGISTERED", `node ${command.nodeId} is not registered`);
  }
  if (!node.isFenced) {
    return refuse("INVALID_REQUEST", `node ${node.id} is in service; stop it first`);
  }
  for (const topic of image.topics.values()) {
    if (topic.partitions.some((partition) => partition.replicas.includes(node.id))) {
      return refuse("INVALID_REQUEST", `node ${node.id} holds replicas of topic ${topic.name}`);
    }
  }
  const settings = forgottenRecords(image, node.id);
  // Another node under this id would have them, and nobody gave them to that one.
  const key = brokerResource(node.id);
  const own = image.configs.get(key);
  const ownSettings = settingRecords(key, own, { set: {}, remove: [...(own?.keys() ?? [])] });
  return accept({ kind: "remove-node", nodeId: node.id }, [
    { type: "node-removed", version: 1, nodeId: node.id, brokerEpoch: node.brokerEpoch },
    ...settings,
    ...ownSettings,
    ...stepsAfter(image, settings),
  ]);
}

export function decodeRemoveNode(json: JsonObject): RemoveNodeCommand {
  return { kind: "remove-node", nodeId: json.nodeId("nodeId") };
}
