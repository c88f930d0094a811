/** Each topic in stretches, one for each member that reads it; the first ones have one more. */
import {
  AssignmentBuilder,
  type Assignments,
  type Assignor,
  type AssignorMember,
  inOrder,
  type PartitionCounts,
  topicsRead,
} from "./assignor.js";

export const range: Assignor = { name: "range", isCooperative: false, assign };

function assign(members: readonly AssignorMember[], counts: PartitionCounts): Assignments {
  const builder = new AssignmentBuilder(members);
  const ordered = inOrder(members);
  for (const topic of topicsRead(members, counts)) {
    const readers = ordered.filter(({ topics }) => topics.includes(topic));
    const count = counts.get(topic) as number;
    const shorter = Math.floor(count / readers.length);
    const longerCount = count % readers.length;
    let partition = 0;
    readers.forEach(({ memberId }, at) => {
      const end = partition + shorter + (at < longerCount ? 1 : 0);
      for (; partition < end; partition++) builder.give(memberId, topic, partition);
    });
  }
  return builder.finish();
}
