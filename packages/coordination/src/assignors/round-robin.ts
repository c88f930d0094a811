/** All partitions of all topics in turn, each to the next member that reads its topic. */
import {
  AssignmentBuilder,
  type Assignments,
  type Assignor,
  type AssignorMember,
  inOrder,
  type PartitionCounts,
  topicsRead,
} from "./assignor.js";

export const roundRobin: Assignor = { name: "roundrobin", isCooperative: false, assign };

/** As kafkajs calls it, which has no other unless it is told to. */
export const roundRobinOfKafkaJs: Assignor = { ...roundRobin, name: "RoundRobinAssigner" };

function assign(members: readonly AssignorMember[], counts: PartitionCounts): Assignments {
  const builder = new AssignmentBuilder(members);
  const ordered = inOrder(members);
  let turn = 0;
  for (const topic of topicsRead(members, counts)) {
    const count = counts.get(topic) as number;
    for (let partition = 0; partition < count; partition++) {
      // Somebody reads it: this ends.
      while (!memberAt(ordered, turn).topics.includes(topic)) turn += 1;
      builder.give(memberAt(ordered, turn).memberId, topic, partition);
      turn += 1;
    }
  }
  return builder.finish();
}

function memberAt(members: readonly AssignorMember[], turn: number): AssignorMember {
  return members[turn % members.length] as AssignorMember;
}
