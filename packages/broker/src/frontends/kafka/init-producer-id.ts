/** InitProducerId: an identity for a producer whose retries are not stored twice. */
import { BrokerError, type ErrorCode, errorNumber } from "@strandline/model";
import type { ProducerIds } from "../../services/producer-ids.js";
import type { KafkaHandler } from "./handler.js";

export function initProducerIdHandler(parts: {
  readonly producerIds: ProducerIds;
}): KafkaHandler<"InitProducerId"> {
  return async ({ transactionalId, producerId, producerEpoch }) => {
    const isHalf = (producerId === -1) !== (producerEpoch === -1);
    if (transactionalId === "" || isHalf) return refused("INVALID_REQUEST");
    if (transactionalId !== null) return refused("UNSUPPORTED_VERSION");
    try {
      // Without a transaction there is nothing to take over: a new id, whatever the old one was.
      return { errorCode: 0, producerId: await parts.producerIds.next(), producerEpoch: 0 };
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      // Clients ask again after this one; a timeout of the controller is no failure of theirs.
      return refused(error.retriable ? "COORDINATOR_LOAD_IN_PROGRESS" : error.code);
    }
  };
}

function refused(code: ErrorCode) {
  return { errorCode: errorNumber(code), producerId: -1, producerEpoch: -1 };
}
