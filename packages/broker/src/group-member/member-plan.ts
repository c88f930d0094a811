/**
 * What a member that the broker stands in for says to its group, and what it assigns when it leads:
 * in the bytes of the Kafka protocol, so that members of both doors understand each other.
 */
import {
  ASSIGNORS,
  type Assignor,
  type AssignorMember,
  assignorNamed,
  type GroupResponse,
  MalformedError,
  type MemberAssignment,
  type MemberProtocol,
  readAssignment,
  readSubscription,
  type TopicOf,
  writeAssignment,
  writeSubscription,
} from "@strandline/coordination";
import { BrokerError } from "@strandline/model";
import type { GroupPartition } from "@strandline/rpc";
import type { Directory } from "../services/directory.js";
import { byTopic, partitionOf } from "../services/group-admin.js";

type JoinResponse = GroupResponse & { readonly kind: "join" };

/** The assignors that a member goes by. Throws INVALID_REQUEST for a name that nobody knows. */
export function assignorsOf(names: readonly string[]): readonly Assignor[] {
  if (names.length === 0) return ASSIGNORS;
  return names.map((name) => {
    const assignor = assignorNamed(name);
    if (assignor !== undefined) return assignor;
    const known = ASSIGNORS.map((each) => each.name).join(", ");
    throw new BrokerError("INVALID_REQUEST", `no assignor "${name}"; there are ${known}`);
  });
}

export interface Standing {
  readonly topics: readonly string[];
  /** What the member keeps while it joins. */
  readonly owned: readonly GroupPartition[];
  readonly generation: number;
}

/** The same words for each assignor. */
export function protocolsOf(
  assignors: readonly Assignor[],
  { topics, owned, generation }: Standing,
): MemberProtocol[] {
  const metadata = writeSubscription({
    topics: [...topics].sort(),
    userData: undefined,
    owned: byTopic(owned, partitionOf),
    generation,
    rack: undefined,
  });
  return assignors.map(({ name }) => ({ name, metadata }));
}

/** How many partitions the topics have that the members of a group read. */
export function partitionCounts(
  directory: Directory,
  topics: Iterable<string>,
): ReadonlyMap<string, number> {
  const { image } = directory;
  const counts = new Map<string, number>();
  for (const topic of topics) {
    const id = image.topicIds.get(topic);
    const found = id === undefined ? undefined : image.topics.get(id);
    if (found !== undefined) counts.set(topic, found.partitions.length);
  }
  return counts;
}

export function areSameCounts(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): boolean {
  return one.size === other.size && [...one].every(([topic, count]) => other.get(topic) === count);
}

export interface Plan {
  readonly assignments: readonly MemberAssignment[];
  /** All topics that somebody in the group reads. */
  readonly topics: readonly string[];
}

/** As the leader of the group: what everyone is to read. */
export function planFor(directory: Directory, joined: JoinResponse): Plan {
  const assignor = assignorNamed(joined.protocolName ?? "");
  if (assignor === undefined) {
    throw new BrokerError("INCONSISTENT_GROUP_PROTOCOL", `no assignor "${joined.protocolName}"`);
  }
  const members = joined.members.map(({ memberId, instanceId, metadata }): AssignorMember => {
    return { memberId, instanceId, ...subscriptionOf(metadata) };
  });
  const topics = [...new Set(members.flatMap((member) => member.topics))];
  const assigned = assignor.assign(members, partitionCounts(directory, topics));
  const assignments = [...assigned].map(([memberId, partitions]) => ({
    memberId,
    assignment: writeAssignment({ partitions, userData: undefined }),
  }));
  return { assignments, topics };
}

/** Members of other clients may say anything: who cannot be understood reads nothing. */
function subscriptionOf(metadata: Uint8Array): {
  readonly topics: readonly string[];
  readonly owned: readonly TopicOf<number>[];
  readonly generation: number;
} {
  try {
    return readSubscription(metadata);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return { topics: [], owned: [], generation: -1 };
  }
}

/** What another leader may have assigned, as partitions. Throws INCONSISTENT_GROUP_PROTOCOL. */
export function assignedPartitions(assignment: Uint8Array): GroupPartition[] {
  try {
    return readAssignment(assignment).partitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new BrokerError(
      "INCONSISTENT_GROUP_PROTOCOL",
      "the leader of the group has assigned in a way that cannot be read",
      { cause: error },
    );
  }
}
