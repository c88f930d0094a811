/** DeleteRecords: moves the start of logs that this broker leads. */
import type { OutgoingResponseOf, ServedApis } from "@strandline/kafka-protocol";
import { BrokerError, errorNumber } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import type { KafkaHandler } from "./handler.js";

type Topic = OutgoingResponseOf<ServedApis["DeleteRecords"]>["topics"][number];
type Answer = Topic["partitions"][number];

export function deleteRecordsHandler({
  admin,
  directory,
}: Pick<AdminHandlerParts, "admin" | "directory">): KafkaHandler<"DeleteRecords"> {
  return async (request) => {
    const topics = request.topics.map(async ({ name, partitions }): Promise<Topic> => {
      const answers = partitions.map(async ({ partitionIndex, offset }): Promise<Answer> => {
        try {
          const replica = directory.led(directory.topic(name), partitionIndex);
          const lowWatermark = await admin.deleteRecordsHere(replica, offset);
          return { partitionIndex, lowWatermark, errorCode: 0 };
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
          return { partitionIndex, lowWatermark: -1, errorCode: errorNumber(error.code) };
        }
      });
      return { name, partitions: await Promise.all(answers) };
    });
    return { topics: await Promise.all(topics) };
  };
}
