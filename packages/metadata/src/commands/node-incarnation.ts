/** Commands about one incarnation of a node: it must be the one that is registered. */
import type { BrokerEpoch, NodeId } from "@strandline/model";
import { type Refused, refuse } from "../decision.js";
import type { MetadataImage, NodeRegistration } from "../image.js";
import type { JsonObject } from "../json.js";

export interface NodeIncarnation {
  readonly nodeId: NodeId;
  /** Of the incarnation that is meant. */
  readonly brokerEpoch: BrokerEpoch;
}

/** The registration that is meant, or a refusal when it is gone or another one took its place. */
export function registrationOf(
  image: MetadataImage,
  incarnation: NodeIncarnation,
): NodeRegistration | Refused {
  const node = image.nodes.get(incarnation.nodeId);
  if (node === undefined) {
    return refuse("BROKER_ID_NOT_REGISTERED", `node ${incarnation.nodeId} is not registered`);
  }
  if (node.brokerEpoch !== incarnation.brokerEpoch) {
    return refuse(
      "STALE_BROKER_EPOCH",
      `node ${node.id} has broker epoch ${node.brokerEpoch}, not ${incarnation.brokerEpoch}`,
    );
  }
  return node;
}

export function isRefused(found: NodeRegistration | Refused): found is Refused {
  return "refusal" in found;
}

export function decodeIncarnation(json: JsonObject): NodeIncarnation {
  return { nodeId: json.nodeId("nodeId"), brokerEpoch: json.brokerEpoch("brokerEpoch") };
}
