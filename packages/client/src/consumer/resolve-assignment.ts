/** Finds out where the partitions of a new assignment begin, and where they end for now. */
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import type { OffsetQuestion } from "../cluster/offset-finder.js";
import { ClientError } from "../errors.js";
import { AssignedPartition } from "./assigned-partition.js";
import { partitionKey } from "./consume-connection.js";
import type { PartitionAssignment } from "./consumer-record.js";

interface ResolveOptions {
  readonly stopAtEnd: boolean;
  readonly signal: AbortSignal;
}

/** Throws the refusal of a partition, `UNAVAILABLE`, `ABORTED`, or `INVALID_ARGUMENT`. */
export async function resolveAssignment(
  cluster: ClusterConnection,
  assignments: readonly PartitionAssignment[],
  options: ResolveOptions,
): Promise<ReadonlyMap<string, AssignedPartition>> {
  const byTopic = new Map<string, PartitionAssignment[]>();
  const partitions = new Map<string, AssignedPartition>();
  for (const assignment of assignments) {
    requireSense(assignment);
    const group = byTopic.get(assignment.topic) ?? [];
    if (group.some((each) => each.partition === assignment.partition)) {
      const where = `${assignment.topic}-${assignment.partition}`;
      throw new ClientError("INVALID_ARGUMENT", `${where} is assigned twice`);
    }
    group.push(assignment);
    byTopic.set(assignment.topic, group);
  }
  await Promise.all(
    [...byTopic].map(async ([topic, group]) => {
      for (const partition of await resolveTopic(cluster, topic, group, options)) {
        partitions.set(partitionKey(topic, partition.partition), partition);
      }
    }),
  );
  return partitions;
}

async function resolveTopic(
  cluster: ClusterConnection,
  topic: string,
  group: readonly PartitionAssignment[],
  { stopAtEnd, signal }: ResolveOptions,
): Promise<readonly AssignedPartition[]> {
  const highest = Math.max(...group.map((assignment) => assignment.partition));
  await cluster.metadata.partitionOf(topic, highest, signal);
  const asked = group.filter((assignment) => !isOffset(assignment));
  const questions = asked.map(({ partition, start }) => ({ partition, position: start }));
  const ends: OffsetQuestion[] = stopAtEnd
    ? group.map(({ partition }) => ({ partition, position: "latest" }))
    : [];
  const [starts, ended] = await Promise.all([
    questions.length > 0 ? cluster.offsets.startOffsets(topic, questions, { signal }) : [],
    ends.length > 0 ? cluster.offsets.find(topic, ends, { signal }) : [],
  ]);
  const startOf = new Map(asked.map(({ partition }, at) => [partition, starts[at] ?? 0]));
  const endOf = new Map(ended.map((each) => [each.partition, each.offset]));
  return group.map(({ partition, start }) => {
    const given = typeof start === "object" && "offset" in start ? start.offset : undefined;
    const assigned = new AssignedPartition(topic, partition, given ?? startOf.get(partition) ?? 0);
    assigned.endOffset = endOf.get(partition);
    return assigned;
  });
}

function isOffset({ start }: PartitionAssignment): boolean {
  return typeof start === "object" && "offset" in start;
}

function requireSense({ topic, partition, start }: PartitionAssignment): void {
  const where = `${topic}-${partition}`;
  if (!(Number.isInteger(partition) && partition >= 0)) {
    throw new ClientError("INVALID_ARGUMENT", `${where}: no partition number`);
  }
  if (start === "earliest" || start === "latest") return;
  const value = "offset" in start ? start.offset : start.timestampMs;
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new ClientError("INVALID_ARGUMENT", `${where}: ${value} is no place to start`);
}
