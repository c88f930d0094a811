/** CreatePartitions: more partitions for topics, each topic by itself. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import { BrokerError } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import type { KafkaHandler } from "./handler.js";
import { outcomeOf } from "./refused.js";

type Question = RequestOf<ServedApis["CreatePartitions"]>["topics"][number];
type Answer = OutgoingResponseOf<ServedApis["CreatePartitions"]>["results"][number];

export function createPartitionsHandler(
  parts: Pick<AdminHandlerParts, "admin">,
): KafkaHandler<"CreatePartitions"> {
  return async ({ topics, validateOnly }) => {
    const counts = new Map<string, number>();
    for (const { name } of topics) counts.set(name, (counts.get(name) ?? 0) + 1);
    const asked = [...new Map(topics.map((topic) => [topic.name, topic])).values()];
    const results = await Promise.all(
      asked.map(async (topic): Promise<Answer> => {
        const outcome = await outcomeOf(async () => {
          if (counts.get(topic.name) !== 1) {
            throw new BrokerError("INVALID_REQUEST", "the request names this topic twice");
          }
          await grow(parts, topic, validateOnly);
        });
        return { name: topic.name, ...outcome };
      }),
    );
    return { results };
  };
}

async function grow(
  { admin }: Pick<AdminHandlerParts, "admin">,
  { name, count, assignments }: Question,
  validateOnly: boolean,
): Promise<void> {
  const lists = (assignments ?? []).map(({ brokerIds }) => ({ brokerIds: [...brokerIds] }));
  const request = { name, totalCount: count, assignments: lists };
  // An empty list is no list for the new partitions; none at all leaves the choice.
  const isUnassigned = assignments !== null && assignments.length === 0;
  await admin.createPartitions(request, { validateOnly: validateOnly || isUnassigned });
  if (isUnassigned) {
    throw new BrokerError("INVALID_REPLICA_ASSIGNMENT", "no replicas are named for what is added");
  }
}
