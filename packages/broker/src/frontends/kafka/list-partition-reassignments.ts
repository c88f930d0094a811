/** ListPartitionReassignments: the moves under way. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import { isReassigned, type Topic, topicByName } from "@strandline/metadata";
import type { AdminHandlerParts } from "./admin-handlers.js";
import type { KafkaHandler } from "./handler.js";
import { ACCEPTED } from "./refused.js";

type Request = RequestOf<ServedApis["ListPartitionReassignments"]>;
type Answer = OutgoingResponseOf<ServedApis["ListPartitionReassignments"]>["topics"][number];

export function listPartitionReassignmentsHandler({
  directory,
}: Pick<AdminHandlerParts, "directory">): KafkaHandler<"ListPartitionReassignments"> {
  return async ({ topics }) => {
    const { image } = directory;
    const found =
      topics === null
        ? [...image.topics.values()].map((topic) => movesOf(topic, undefined))
        : topics.flatMap(({ name, partitionIndexes }: NonNullable<Request["topics"]>[number]) => {
            const topic = topicByName(image, name);
            return topic === undefined ? [] : [movesOf(topic, new Set(partitionIndexes))];
          });
    return { ...ACCEPTED, topics: found.filter(({ partitions }) => partitions.length > 0) };
  };
}

function movesOf(topic: Topic, wanted: ReadonlySet<number> | undefined): Answer {
  return {
    name: topic.name,
    partitions: topic.partitions.flatMap((state, index) => {
      if (!isReassigned(state) || wanted?.has(index) === false) return [];
      return [
        {
          partitionIndex: index,
          replicas: [...state.replicas],
          addingReplicas: [...state.adding],
          removingReplicas: [...state.removing],
        },
      ];
    }),
  };
}
