/**
 * Who reads what: decided by the leader of a group, or by the broker where it leads on behalf of a
 * client. An assignor is pure: the same members and topics give the same assignment anywhere.
 */
import type { TopicOf } from "../group-command.js";

/** What an assignor knows of a member. */
export interface AssignorMember {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly topics: readonly string[];
  /** What it holds, and since which generation; -1 when it does not say. */
  readonly owned: readonly TopicOf<number>[];
  readonly generation: number;
}

/** Names of topics, and how many partitions each has. A topic that is missing has none. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** By member id. Every member has an entry; topics and partitions are in ascending order. */
export type Assignments = ReadonlyMap<string, readonly TopicOf<number>[]>;

export interface Assignor {
  /** What members call it when they join. */
  readonly name: string;
  /**
   * Members keep what they hold while they join, and give up only what the assignment leaves out;
   * what moves is assigned in the generation after that.
   */
  readonly isCooperative: boolean;
  assign(members: readonly AssignorMember[], counts: PartitionCounts): Assignments;
}

/** Static members first, by their names, so that a restart changes nothing; then the others. */
export function inOrder(members: readonly AssignorMember[]): AssignorMember[] {
  return [...members].sort((one, other) => {
    if ((one.instanceId === undefined) !== (other.instanceId === undefined)) {
      return one.instanceId === undefined ? 1 : -1;
    }
    const [a, b] = [one.instanceId ?? one.memberId, other.instanceId ?? other.memberId];
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

/** Topics that somebody reads and that exist, in order. */
export function topicsRead(members: readonly AssignorMember[], counts: PartitionCounts): string[] {
  const topics = new Set(members.flatMap((member) => member.topics));
  return [...topics].filter((topic) => (counts.get(topic) ?? 0) > 0).sort();
}

/** Gathers partitions by member and topic. */
export class AssignmentBuilder {
  readonly #members = new Map<string, Map<string, number[]>>();

  constructor(members: readonly AssignorMember[]) {
    for (const { memberId } of members) this.#members.set(memberId, new Map());
  }

  give(memberId: string, topic: string, partition: number): void {
    const topics = this.#members.get(memberId);
    const partitions = topics?.get(topic);
    if (partitions === undefined) topics?.set(topic, [partition]);
    else partitions.push(partition);
  }

  finish(): Assignments {
    const assignments = new Map<string, readonly TopicOf<number>[]>();
    for (const [memberId, topics] of this.#members) {
      const inOrderOfName = [...topics].sort(([one], [other]) => (one < other ? -1 : 1));
      const list = inOrderOfName.map(([topic, partitions]) => ({
        topic,
        partitions: partitions.sort((one, other) => one - other),
      }));
      assignments.set(memberId, list);
    }
    return assignments;
  }
}
