/** OffsetForLeaderEpoch: where a leadership ended, so that a client learns what was cut. */
import { BrokerError, errorNumber } from "@strandline/model";
import type { Directory } from "../../services/directory.js";
import { epochEnd } from "../../services/epoch-ends.js";
import type { KafkaHandler } from "./handler.js";

export function offsetForLeaderEpochHandler(parts: {
  readonly directory: Directory;
}): KafkaHandler<"OffsetForLeaderEpoch"> {
  const { directory } = parts;
  return async (request) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        try {
          const replica = directory.led(directory.topic(topic), partition);
          const role = replica.requireLeader(
            currentLeaderEpoch < 0 ? undefined : currentLeaderEpoch,
          );
          const { epoch, endOffset } = epochEnd(replica, role.epoch, leaderEpoch);
          return { partition, errorCode: 0, leaderEpoch: epoch, endOffset };
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
          return { partition, errorCode: errorNumber(error.code) };
        }
      }),
    })),
  });
}
