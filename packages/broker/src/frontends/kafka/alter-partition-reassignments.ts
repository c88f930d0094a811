/** AlterPartitionReassignments: moves replicas, or takes a move back. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import type { PartitionReassignment } from "@strandline/metadata";
import { errorNumber, isNodeId, type NodeId } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import type { KafkaHandler } from "./handler.js";
import { ACCEPTED, type RefusalFields, refusalFields } from "./refused.js";

type Request = RequestOf<ServedApis["AlterPartitionReassignments"]>;
type Response = OutgoingResponseOf<ServedApis["AlterPartitionReassignments"]>;

/** Numbers that no partition and no broker can have: the command could not even be written. */
function impossible(index: number, replicas: readonly number[] | null): RefusalFields | undefined {
  if (index < 0) {
    const errorCode = errorNumber("UNKNOWN_TOPIC_OR_PARTITION");
    return { errorCode, errorMessage: `no partition ${index}` };
  }
  const broker = replicas?.find((id) => !isNodeId(id));
  if (broker === undefined) return undefined;
  const errorCode = errorNumber("INVALID_REPLICA_ASSIGNMENT");
  return { errorCode, errorMessage: `broker ${broker} is not registered` };
}

export function alterPartitionReassignmentsHandler({
  admin,
}: Pick<AdminHandlerParts, "admin">): KafkaHandler<"AlterPartitionReassignments"> {
  return async (request) => {
    const { allowReplicationFactorChange } = request;
    const asked = possible(request);
    try {
      const { results } =
        asked.length === 0
          ? { results: [] }
          : await admin.submit({
              kind: "alter-reassignments",
              partitions: asked,
              allowReplicationFactorChange,
            });
      const outcomes = results.map(({ refusal }): RefusalFields => {
        if (refusal === null) return ACCEPTED;
        return { errorCode: errorNumber(refusal.code), errorMessage: refusal.message };
      });
      return {
        allowReplicationFactorChange,
        ...ACCEPTED,
        responses: answered(request, outcomes),
      };
    } catch (error) {
      return { allowReplicationFactorChange, ...refusalFields(error), responses: [] };
    }
  };
}

function possible(request: Request): PartitionReassignment[] {
  return request.topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ partitionIndex, replicas }) => impossible(partitionIndex, replicas) === undefined)
      .map(({ partitionIndex, replicas }) => ({
        topic: name,
        partition: partitionIndex,
        replicas: replicas as readonly NodeId[] | null,
      })),
  );
}

/** The outcomes come in the order in which what was possible was asked. */
function answered(
  request: Request,
  outcomes: readonly RefusalFields[],
): NonNullable<Response["responses"]> {
  let next = 0;
  return request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const refusal = impossible(partitionIndex, replicas);
      if (refusal !== undefined) return { partitionIndex, ...refusal };
      const outcome = outcomes[next] ?? ACCEPTED;
      next += 1;
      return { partitionIndex, ...outcome };
    }),
  }));
}
