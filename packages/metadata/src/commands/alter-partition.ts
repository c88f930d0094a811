/**
 * A leader's proposal of a new ISR: compare-and-set by the partition epoch. Each member comes with
 * the broker epoch under which the leader knows it, so that a replica that restarted meanwhile,
 * perhaps with an empty disk, cannot be taken for the one that was in sync (KIP-903).
 */
import type { BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, TopicId } from "@strandline/model";
import { effectiveInSyncMin, inSyncReplicasMin } from "../config-resolution.js";
import { accept, type Decision, type Refused, refuse } from "../decision.js";
import type { MetadataImage, Partition, Topic } from "../image.js";
import { JsonObject } from "../json.js";
import { eligibleAfter, partitionStep } from "../partition-rules.js";
import { isRefused, registrationOf } from "./node-incarnation.js";

export interface AlterPartitionCommand {
  readonly kind: "alter-partition";
  /** The leader that asks. */
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly topicId: TopicId;
  readonly partition: number;
  readonly leaderEpoch: LeaderEpoch;
  /** Of the state the proposal is based on. */
  readonly partitionEpoch: PartitionEpoch;
  readonly isr: readonly { readonly id: NodeId; readonly brokerEpoch: BrokerEpoch }[];
}

/** The partition's state once the command has taken effect. */
export interface AlterPartitionResponse {
  readonly kind: "alter-partition";
  readonly topicId: TopicId;
  readonly partition: number;
  readonly leader: NodeId | -1;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly isr: readonly NodeId[];
}

export function decideAlterPartition(
  image: MetadataImage,
  command: AlterPartitionCommand,
): Decision<AlterPartitionResponse> {
  const { brokerId, brokerEpoch } = command;
  const caller = registrationOf(image, { nodeId: brokerId, brokerEpoch });
  if (isRefused(caller)) return caller;
  const topic = image.topics.get(command.topicId);
  if (topic === undefined) return refuse("UNKNOWN_TOPIC_ID", `no topic ${command.topicId}`);
  const before = topic.partitions[command.partition];
  if (before === undefined) {
    return refuse(
      "UNKNOWN_TOPIC_OR_PARTITION",
      `topic ${topic.name} has no partition ${command.partition}`,
    );
  }
  // Epochs first: a leader that is refused for another reason may conclude that it named the
  // present epoch, so that nothing it proposed under it has taken effect.
  const refusal =
    epochRefusal(before, command) ??
    shapeRefusal(before, command) ??
    memberRefusal(image, before, command);
  return refusal ?? accepted(image, { topic, before, command });
}

function accepted(
  image: MetadataImage,
  at: {
    readonly topic: Topic;
    readonly before: Partition;
    readonly command: AlterPartitionCommand;
  },
): Decision<AlterPartitionResponse> {
  const { topic, before, command } = at;
  const asked = new Set(command.isr.map((member) => member.id));
  const isr = before.replicas.filter((id) => asked.has(id));
  const configured = inSyncReplicasMin(image, topic.name);
  const inSyncMin = effectiveInSyncMin(configured, before);
  const elr = eligibleAfter(before, isr, inSyncMin);
  // Also a proposal that changes nothing is a step: the leader learns that none of its earlier
  // ones, whose answers were lost, can take effect any more.
  const record = partitionStep(command, before, { isr, elr, leader: before.leader });
  return accept(
    {
      kind: "alter-partition",
      topicId: topic.id,
      partition: command.partition,
      leader: before.leader,
      leaderEpoch: before.leaderEpoch,
      partitionEpoch: record.partitionEpoch,
      isr,
    },
    [record],
  );
}

function epochRefusal(before: Partition, command: AlterPartitionCommand): Refused | undefined {
  if (command.leaderEpoch < before.leaderEpoch) {
    return refuse(
      "FENCED_LEADER_EPOCH",
      `leader epoch ${command.leaderEpoch} is over; now it is ${before.leaderEpoch}`,
    );
  }
  if (command.leaderEpoch > before.leaderEpoch) {
    return refuse("UNKNOWN_LEADER_EPOCH", `leader epoch ${command.leaderEpoch} has not begun`);
  }
  if (command.brokerId !== before.leader) {
    return refuse("NOT_LEADER_OR_FOLLOWER", `node ${command.brokerId} does not lead`);
  }
  if (command.partitionEpoch !== before.partitionEpoch) {
    return refuse(
      "INVALID_UPDATE_VERSION",
      `partition epoch is ${before.partitionEpoch}, not ${command.partitionEpoch}`,
    );
  }
  return undefined;
}

function shapeRefusal(before: Partition, command: AlterPartitionCommand): Refused | undefined {
  const ids = command.isr.map((member) => member.id);
  if (new Set(ids).size !== ids.length) return refuse("INVALID_REQUEST", "a node is named twice");
  if (!ids.includes(command.brokerId)) return refuse("INVALID_REQUEST", "the leader is in sync");
  if (ids.some((id) => !before.replicas.includes(id))) {
    return refuse("INVALID_REQUEST", "only replicas can be in sync");
  }
  return undefined;
}

function memberRefusal(
  image: MetadataImage,
  before: Partition,
  command: AlterPartitionCommand,
): Refused | undefined {
  for (const member of command.isr) {
    const node = image.nodes.get(member.id);
    if (node === undefined || node.isFenced) {
      return refuse("INELIGIBLE_REPLICA", `node ${member.id} is fenced`);
    }
    if (node.brokerEpoch !== member.brokerEpoch) {
      return refuse(
        "INELIGIBLE_REPLICA",
        `node ${member.id} has broker epoch ${node.brokerEpoch}, not ${member.brokerEpoch}`,
      );
    }
    if (node.isStopping && !before.isr.includes(member.id)) {
      return refuse("INELIGIBLE_REPLICA", `node ${member.id} is stopping`);
    }
  }
  return undefined;
}

export function decodeAlterPartition(json: JsonObject): AlterPartitionCommand {
  return {
    kind: "alter-partition",
    brokerId: json.nodeId("brokerId"),
    brokerEpoch: json.brokerEpoch("brokerEpoch"),
    topicId: json.topicId("topicId"),
    partition: json.partition("partition"),
    leaderEpoch: json.leaderEpoch("leaderEpoch"),
    partitionEpoch: json.partitionEpoch("partitionEpoch"),
    isr: json.list("isr", (value, path) => {
      const member = new JsonObject(value, path);
      return { id: member.nodeId("id"), brokerEpoch: member.brokerEpoch("brokerEpoch") };
    }),
  };
}
