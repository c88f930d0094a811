/**
 * An operator's election. Clean: the preferred replica takes over where it is in sync. Unclean:
 * where nobody leads, any live replica takes over, and committed records that it lacks are lost;
 * the record says so, for whoever reads the log later. There is no unclean election but this one.
 */
import type { NodeId, Refusal } from "@strandline/model";
import { effectiveInSyncMin, inSyncReplicasMin } from "../config-resolution.js";
import { accept, type Decision, refuse } from "../decision.js";
import { cleanCandidate, type StandingOf, standingIn, withLeader } from "../election.js";
import {
  type MetadataImage,
  originalReplicas,
  type Partition,
  type Topic,
  topicByName,
} from "../image.js";
import { integerOf, type JsonObject } from "../json.js";
import { partitionStep } from "../partition-rules.js";
import type { PartitionChangedRecord } from "../records.js";

export interface ElectLeadersCommand {
  readonly kind: "elect-leaders";
  readonly topic: string;
  /** Empty: all partitions of the topic. */
  readonly partitions: readonly number[];
  readonly unclean: boolean;
}

export interface ElectLeadersResult {
  readonly partition: number;
  /** Who leads now; -1: nobody. */
  readonly leader: NodeId | -1;
  /** Why nothing changed; null when the election took place. */
  readonly refusal: Refusal | null;
}

export interface ElectLeadersResponse {
  readonly kind: "elect-leaders";
  readonly results: readonly ElectLeadersResult[];
}

export function decideElectLeaders(
  image: MetadataImage,
  command: ElectLeadersCommand,
): Decision<ElectLeadersResponse> {
  const topic = topicByName(image, command.topic);
  if (topic === undefined) {
    return refuse("UNKNOWN_TOPIC_OR_PARTITION", `no topic ${command.topic}`);
  }
  const asked =
    command.partitions.length > 0 ? new Set(command.partitions) : topic.partitions.keys();
  const context = { image, topic, standingOf: standingIn(image) };
  const records: PartitionChangedRecord[] = [];
  const results: ElectLeadersResult[] = [];
  for (const index of asked) {
    const partition = topic.partitions[index];
    const elected =
      partition === undefined
        ? refuse("UNKNOWN_TOPIC_OR_PARTITION", `topic ${topic.name} has no partition ${index}`)
        : command.unclean
          ? electAny(context, index, partition)
          : electPreferred(context, index, partition);
    if ("refusal" in elected) {
      const leader = partition?.leader ?? -1;
      results.push({ partition: index, leader, refusal: elected.refusal });
    } else {
      records.push(elected);
      results.push({ partition: index, leader: elected.leader, refusal: null });
    }
  }
  return accept({ kind: "elect-leaders", results }, records);
}

interface Context {
  readonly image: MetadataImage;
  readonly topic: Topic;
  readonly standingOf: StandingOf;
}

function electPreferred(context: Context, index: number, partition: Partition) {
  const { replicas, isr, elr, leader } = partition;
  const preferred = replicas[0];
  if (leader === preferred) return refuse("ELECTION_NOT_NEEDED", `node ${leader} leads already`);
  const isAble = preferred !== undefined && isr.includes(preferred);
  if (!isAble || context.standingOf(preferred) !== "usable") {
    return refuse("PREFERRED_LEADER_NOT_AVAILABLE", `node ${preferred} is not in sync and alive`);
  }
  const at = { topicId: context.topic.id, partition: index };
  return partitionStep(at, partition, { isr, elr, leader: preferred });
}

function electAny(context: Context, index: number, partition: Partition) {
  const { image, topic, standingOf } = context;
  const { replicas, leader } = partition;
  if (leader !== -1) return refuse("ELECTION_NOT_NEEDED", `node ${leader} leads`);
  const at = { topicId: topic.id, partition: index };
  if (cleanCandidate(replicas, partition, standingOf) !== -1) {
    const configured = inSyncReplicasMin(image, topic.name);
    const inSyncMin = effectiveInSyncMin(configured, partition);
    const target = withLeader(replicas, partition, { inSyncMin, standingOf });
    return partitionStep(at, partition, target);
  }
  // Whoever a reassignment is only about to bring may have nothing yet.
  const candidates = [...originalReplicas(partition), ...partition.adding];
  const next =
    candidates.find((id) => standingOf(id) === "usable") ??
    candidates.find((id) => standingOf(id) === "stopping");
  if (next === undefined) {
    return refuse("ELIGIBLE_LEADERS_NOT_AVAILABLE", "no replica of the partition is alive");
  }
  // Its log is the truth from here on: who was eligible for the old one is not for the new one.
  const target = { isr: [next], elr: [], leader: next };
  return { ...partitionStep(at, partition, target), isUnclean: true as const };
}

export function decodeElectLeaders(json: JsonObject): ElectLeadersCommand {
  return {
    kind: "elect-leaders",
    topic: json.text("topic"),
    partitions: json.list("partitions", (value, path) =>
      integerOf(value, path, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    ),
    unclean: json.boolean("unclean"),
  };
}
