/** For tests: what holds in every image, and between an image and the next. */
import { effectiveInSyncMin, inSyncReplicasMin } from "../config-resolution.js";
import type { MetadataImage, Partition } from "../image.js";
import { partitionProblem } from "../partition-rules.js";

/** Every rule that `after` breaks, as sentences. */
export function brokenRules(before: MetadataImage, after: MetadataImage): string[] {
  return [...imageProblems(after), ...stepProblems(before, after)];
}

function imageProblems(image: MetadataImage): string[] {
  const found: string[] = [];
  for (const topic of image.topics.values()) {
    if (image.topicIds.get(topic.name) !== topic.id) found.push("a topic is not found by its name");
    const configured = inSyncReplicasMin(image, topic.name);
    topic.partitions.forEach((partition, index) => {
      const problem = standingProblem(image, partition, configured);
      if (problem !== undefined) found.push(`${topic.name}-${index}: ${problem}`);
    });
  }
  if (image.topicIds.size !== image.topics.size) found.push("a name has no topic");
  for (const [resource, settings] of image.configs) {
    if (settings.size === 0) found.push("empty settings are kept");
    const isTopic = resource.startsWith("topic:");
    if (isTopic && !image.topicIds.has(resource.slice(6))) found.push("settings have no topic");
  }
  return found;
}

function standingProblem(
  image: MetadataImage,
  partition: Partition,
  configured: number,
): string | undefined {
  const { isr, elr, leader } = partition;
  const isServing = (id: (typeof isr)[number]): boolean => image.nodes.get(id)?.isFenced === false;
  if (!isr.every(isServing)) return "a fenced node is in sync";
  if (elr.length > 0 && isr.length >= effectiveInSyncMin(configured, partition)) {
    return "replicas are eligible beside a sufficient ISR";
  }
  if (leader === -1 && elr.some(isServing)) return "nobody leads, but somebody could";
  return partitionProblem(partition);
}

function stepProblems(before: MetadataImage, after: MetadataImage): string[] {
  const found: string[] = [];
  if (after.nextProducerId < before.nextProducerId) found.push("producer ids are used again");
  for (const topic of after.topics.values()) {
    topic.partitions.forEach((is, index) => {
      const was = before.topics.get(topic.id)?.partitions[index];
      if (was === undefined || was === is) return;
      if (is.partitionEpoch <= was.partitionEpoch) found.push("a change has no partition epoch");
      if (is.replicas !== was.replicas && !isSoundMove(was, is)) found.push("a move loses records");
      const isNewLeader = is.leader !== was.leader;
      if (isNewLeader && is.leaderEpoch <= was.leaderEpoch) found.push("a leader has an old epoch");
      if (!isNewLeader && is.leaderEpoch !== was.leaderEpoch) found.push("an epoch has no leader");
    });
  }
  for (const node of after.nodes.values()) {
    const was = before.nodes.get(node.id);
    if (was === undefined || was.incarnationId === node.incarnationId) continue;
    if (node.brokerEpoch <= was.brokerEpoch) found.push("a process has an old broker epoch");
    if (!node.isFenced) found.push("a new process serves at once");
  }
  return found;
}

/** Who is in sync, or could lead, was so before; and somebody is, if somebody was. */
function isSoundMove(was: Partition, is: Partition): boolean {
  const held = [...was.isr, ...was.elr];
  const holds = [...is.isr, ...is.elr];
  return holds.every((id) => held.includes(id)) && (holds.length > 0 || held.length === 0);
}
