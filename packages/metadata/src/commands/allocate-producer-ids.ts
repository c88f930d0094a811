/** Hands a broker a block of producer ids. A lost answer costs the block; no id is used twice. */
import type { BrokerEpoch, NodeId, ProducerId } from "@strandline/model";
import { accept, type Decision, refuse } from "../decision.js";
import type { MetadataImage } from "../image.js";
import type { JsonObject } from "../json.js";
import { isRefused, registrationOf } from "./node-incarnation.js";

/** Ids in one block, as Kafka: a broker asks seldom, and little is lost when it stops. */
export const PRODUCER_ID_BLOCK_COUNT = 1000;

export interface AllocateProducerIdsCommand {
  readonly kind: "allocate-producer-ids";
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
}

export interface AllocateProducerIdsResponse {
  readonly kind: "allocate-producer-ids";
  /** First id of the block. */
  readonly firstProducerId: ProducerId;
  readonly count: number;
}

export function decideAllocateProducerIds(
  image: MetadataImage,
  command: AllocateProducerIdsCommand,
): Decision<AllocateProducerIdsResponse> {
  const { brokerId, brokerEpoch } = command;
  const caller = registrationOf(image, { nodeId: brokerId, brokerEpoch });
  if (isRefused(caller)) return caller;
  const nextProducerId = image.nextProducerId + PRODUCER_ID_BLOCK_COUNT;
  if (!Number.isSafeInteger(nextProducerId)) {
    return refuse("UNKNOWN_SERVER_ERROR", "this cluster has run out of producer ids");
  }
  return accept(
    {
      kind: "allocate-producer-ids",
      firstProducerId: image.nextProducerId as ProducerId,
      count: PRODUCER_ID_BLOCK_COUNT,
    },
    [{ type: "producer-ids-allocated", version: 1, brokerId, brokerEpoch, nextProducerId }],
  );
}

export function decodeAllocateProducerIds(json: JsonObject): AllocateProducerIdsCommand {
  return {
    kind: "allocate-producer-ids",
    brokerId: json.nodeId("brokerId"),
    brokerEpoch: json.brokerEpoch("brokerEpoch"),
  };
}
