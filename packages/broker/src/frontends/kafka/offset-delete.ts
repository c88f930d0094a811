/** OffsetDelete: a group forgets how far it had come. */
import { errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

export function offsetDeleteHandler(groups: GroupService): KafkaHandler<"OffsetDelete"> {
  return async (request, { signal }) => {
    try {
      const deleted = await groups.deleteOffsets(
        {
          groupId: request.groupId,
          topics: request.topics.map(({ name, partitions }) => ({
            topic: name,
            partitions: partitions.map(({ partitionIndex }) => partitionIndex),
          })),
        },
        { signal },
      );
      return {
        errorCode: errorNumber(deleted.error),
        topics: deleted.topics.map(({ topic, partitions }) => ({
          name: topic,
          partitions: partitions.map(({ partition, error }) => ({
            partitionIndex: partition,
            errorCode: errorNumber(error),
          })),
        })),
      };
    } catch (error) {
      return { errorCode: errorNumber(refusalCode(error)), topics: [] };
    }
  };
}
