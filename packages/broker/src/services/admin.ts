/**
 * Administration: topics, configuration, the state of the cluster. Changes are commands to the
 * active controller; answers wait until this broker's own image has them, so that whoever asks the
 * same broker next sees what it just did.
 */
import {
  effectiveInSyncMin,
  inSyncReplicasMin,
  type MetadataCommand,
  type MetadataImage,
  type Partition as PartitionImage,
  type ResponseOf,
  type Topic,
  topicConfig,
} from "@strandline/metadata";
import { BrokerError, type NodeId, type TopicId, uuidText } from "@strandline/model";
import type { Random, Timers, Transport } from "@strandline/platform";
import {
  type AlterConfigsRequest,
  type AlterReassignmentsRequest,
  type AlterReassignmentsResponse,
  adminMethods,
  type ConfigResource,
  type CreatePartitionsRequest,
  type CreateTopicRequest,
  type CreateTopicResponse,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  type DeleteRecordsResult,
  type DescribeClusterResponse,
  type DescribeConfigsResponse,
  type DescribeQuorumResponse,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
  errorToProto,
  type GetMetadataRequest,
  type GetMetadataResponse,
  type ListTopicsResponse,
  type PartitionDescription,
  refusalToProto,
  type TopicDescription,
} from "@strandline/rpc";
import type { ControllerSession } from "../cluster/controller-session.js";
import type { Partition } from "../partition/partition.js";
import type { ConfigDescriptions } from "./config-descriptions.js";
import type { Directory } from "./directory.js";
import type { LeadingService } from "./leading.js";
import type { OffsetsService } from "./offsets.js";

const COMMAND_TIMEOUT_MS = 15_000;
const APPLIED_TIMEOUT_MS = 5_000;
const OFFSETS_TIMEOUT_MS = 1_000;
/** A new topic that is not led by then is created all the same. */
const LEADING_TIMEOUT_MS = 5_000;

export interface AdminParts {
  readonly directory: Directory;
  readonly session: ControllerSession;
  readonly offsets: OffsetsService;
  readonly leading: LeadingService;
  readonly configs: ConfigDescriptions;
  /** `delete.topic.enable`. */
  readonly deletesTopics: boolean;
  /** Resolves once this broker's image has reached `offset`, or after `timeoutMs`. */
  untilMetadata(offset: number, timeoutMs: number): Promise<void>;
  controllerId(): number;
  voters(): readonly number[];
}

export class AdminService {
  readonly #ports: { random: Random; timers: Timers; transport: Transport };
  readonly #parts: AdminParts;

  constructor(ports: { random: Random; timers: Timers; transport: Transport }, parts: AdminParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  async createTopic(request: CreateTopicRequest): Promise<CreateTopicResponse> {
    const newTopicId = uuidText(this.#ports.random.bytes(16)) as TopicId;
    const response = await this.submit({
      kind: "create-topic",
      name: request.name,
      newTopicId,
      partitions: request.partitions,
      replicationFactor: request.replicationFactor,
      ...(request.assignments.length > 0
        ? { assignments: request.assignments.map((list) => list.brokerIds as NodeId[]) }
        : {}),
      configs: Object.fromEntries(request.configs),
      validateOnly: request.validateOnly,
      allowWeakDurability: request.allowWeakDurability,
      seed: this.#ports.random.below(2 ** 31),
    });
    if (!request.validateOnly) await this.#parts.leading.until(request.name, LEADING_TIMEOUT_MS);
    return response;
  }

  async deleteTopic(name: string): Promise<void> {
    if (!this.#parts.deletesTopics) {
      throw new BrokerError("TOPIC_DELETION_DISABLED", "delete.topic.enable is false here");
    }
    await this.submit({ kind: "delete-topic", name });
  }

  listTopics(): ListTopicsResponse {
    const topics = [...this.#parts.directory.image.topics.values()].map((topic) => ({
      name: topic.name,
      topicId: topic.id,
      partitions: topic.partitions.length,
      replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
    }));
    topics.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { topics };
  }

  async describeTopic(name: string): Promise<TopicDescription> {
    const topic = this.#parts.directory.topic(name);
    const ends = await this.#ends(topic);
    return {
      name: topic.name,
      topicId: topic.id,
      replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
      configs: this.#parts.directory.image.configs.get(`topic:${topic.name}`) ?? new Map(),
      partitions: topic.partitions.map(
        (state, partition): PartitionDescription => ({
          partition,
          leaderId: state.leader,
          leaderEpoch: state.leaderEpoch,
          partitionEpoch: state.partitionEpoch,
          replicas: [...state.replicas],
          isr: [...state.isr],
          elr: [...state.elr],
          adding: [...state.adding],
          removing: [...state.removing],
          ...ends[partition],
        }),
      ),
    };
  }

  async createPartitions(
    request: CreatePartitionsRequest,
    { validateOnly }: { readonly validateOnly: boolean } = { validateOnly: false },
  ): Promise<void> {
    await this.submit({
      kind: "create-partitions",
      name: request.name,
      totalCount: request.totalCount,
      validateOnly,
      ...(request.assignments.length > 0
        ? { assignments: request.assignments.map((list) => list.brokerIds as NodeId[]) }
        : {}),
      seed: this.#ports.random.below(2 ** 31),
    });
    if (!validateOnly) await this.#parts.leading.until(request.name, LEADING_TIMEOUT_MS);
  }

  async describeConfigs(resource: ConfigResource): Promise<DescribeConfigsResponse> {
    return await this.#parts.configs.describe(resource);
  }

  async alterConfigs(request: AlterConfigsRequest): Promise<void> {
    const resource = request.resource ?? { type: "TYPE_TOPIC", name: "" };
    await this.submit({
      kind: "alter-configs",
      resource: {
        type: resource.type === "TYPE_TOPIC" ? "topic" : "broker",
        name: resource.name,
      },
      set: Object.fromEntries(request.set),
      remove: request.remove,
      validateOnly: request.validateOnly,
      allowWeakDurability: request.allowWeakDurability,
    });
  }

  async electLeaders(request: ElectLeadersRequest): Promise<ElectLeadersResponse> {
    const response = await this.submit({
      kind: "elect-leaders",
      topic: request.topic,
      partitions: request.partitions,
      unclean: request.unclean,
    });
    return {
      results: response.results.map(({ partition, leader, refusal }) => ({
        partition,
        leaderId: leader,
        ...(refusal === null ? {} : { error: refusalToProto(refusal) }),
      })),
    };
  }

  async alterReassignments(
    request: AlterReassignmentsRequest,
  ): Promise<AlterReassignmentsResponse> {
    const { results } = await this.submit({
      kind: "alter-reassignments",
      partitions: request.partitions.map(({ topic, partition, replicas }) => ({
        topic,
        partition,
        replicas: replicas.length === 0 ? null : (replicas as NodeId[]),
      })),
      allowReplicationFactorChange: true,
    });
    return {
      results: results.map(({ topic, partition, refusal }) => ({
        topic,
        partition,
        ...(refusal === null ? {} : { error: refusalToProto(refusal) }),
      })),
    };
  }

  /** The controllers' log as the active one sees it. */
  async describeQuorum(): Promise<DescribeQuorumResponse> {
    return await this.#parts.session.describeQuorum(COMMAND_TIMEOUT_MS);
  }

  async deleteRecords(request: DeleteRecordsRequest): Promise<DeleteRecordsResponse> {
    this.#parts.directory.topic(request.topic);
    const results = await Promise.all(
      request.targets.map(async ({ partition, beforeOffset }): Promise<DeleteRecordsResult> => {
        try {
          return await this.#deleteRecords(request, partition, beforeOffset);
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
          return { partition, logStartOffset: -1, error: errorToProto(error) };
        }
      }),
    );
    return { results };
  }

  /**
   * Deletes what a replica that leads has before `beforeOffset`; -1 stands for everything that is
   * committed. Returns the new start of its log. Throws the refusal.
   */
  async deleteRecordsHere(replica: Partition, beforeOffset: number): Promise<number> {
    const { epoch } = replica.requireLeader();
    const before = beforeOffset === -1 ? replica.highWatermark : beforeOffset;
    if (before < 0 || before > replica.highWatermark) {
      throw new BrokerError(
        "OFFSET_OUT_OF_RANGE",
        `records can be deleted up to the high watermark ${replica.highWatermark}, not ${before}`,
      );
    }
    const { image } = this.#parts.directory;
    const name = image.topics.get(replica.topicId)?.name ?? "";
    const { isCompacted, isDeleted } = topicConfig(image, name, this.#parts.directory.nodeId);
    if (isCompacted && !isDeleted) {
      throw new BrokerError("POLICY_VIOLATION", "a topic that is only compacted keeps its records");
    }
    await replica.transition(epoch, async () => await replica.log.deleteRecordsBefore(before));
    replica.requireLeader(epoch);
    return replica.log.logStartOffset;
  }

  describeCluster(): DescribeClusterResponse {
    const { image } = this.#parts.directory;
    const counts = countPartitions(image);
    const voters = this.#parts.voters();
    return {
      clusterId: image.clusterId ?? "",
      controllerId: this.#parts.controllerId(),
      nodes: [...image.nodes.values()]
        .map((node) => ({
          nodeId: node.id,
          address: node.address,
          peerAddress: node.peerAddress,
          isBroker: true,
          isVoter: voters.includes(node.id),
          fenced: node.isFenced,
          rack: node.rack,
          brokerEpoch: node.brokerEpoch,
          directoryId: node.directoryId,
          version: node.version,
        }))
        .sort((a, b) => a.nodeId - b.nodeId),
      topics: image.topics.size,
      ...counts,
      metadataOffset: image.offset,
    };
  }

  getMetadata(request: GetMetadataRequest): GetMetadataResponse {
    const { image } = this.#parts.directory;
    return {
      clusterId: image.clusterId ?? "",
      brokers: [...image.nodes.values()]
        .filter((node) => !node.isFenced)
        .map((node) => ({ brokerId: node.id, address: node.address })),
      topics: request.topics.map((name) => {
        const id = image.topicIds.get(name);
        const topic = id === undefined ? undefined : image.topics.get(id);
        if (topic === undefined) {
          const error = new BrokerError(
            "UNKNOWN_TOPIC_OR_PARTITION",
            `topic "${name}" does not exist`,
          );
          return { name, topicId: "", partitions: [], error: errorToProto(error) };
        }
        return {
          name,
          topicId: topic.id,
          partitions: topic.partitions.map((state, partition) => ({
            partition,
            leaderId: state.leader,
            leaderEpoch: state.leaderEpoch,
          })),
        };
      }),
      metadataOffset: image.offset,
    };
  }

  /** Runs a command, and waits until this broker's own image has what it did. */
  async submit<Command extends MetadataCommand>(
    command: Command,
    timeoutMs: number = COMMAND_TIMEOUT_MS,
  ): Promise<ResponseOf<Command["kind"]>> {
    const answer = await this.#parts.session.submit(command, timeoutMs);
    await this.#parts.untilMetadata(answer.metadataOffset, APPLIED_TIMEOUT_MS);
    return answer.response as ResponseOf<Command["kind"]>;
  }

  async #deleteRecords(
    request: DeleteRecordsRequest,
    partition: number,
    beforeOffset: number,
  ): Promise<DeleteRecordsResult> {
    const leader = this.#parts.directory.leader(request.topic, partition, request.forwarded);
    if (leader.kind === "remote") {
      const response = await this.#ports.transport.call(
        leader.address,
        adminMethods.deleteRecords,
        { topic: request.topic, targets: [{ partition, beforeOffset }], forwarded: true },
        { timeoutMs: COMMAND_TIMEOUT_MS },
      );
      return response.results[0] ?? { partition, logStartOffset: -1 };
    }
    return {
      partition,
      logStartOffset: await this.deleteRecordsHere(leader.replica, beforeOffset),
    };
  }

  /** Log start and high watermark of each partition, where its leader answers in time. */
  async #ends(
    topic: Topic,
  ): Promise<({ logStartOffset: number; highWatermark: number } | undefined)[]> {
    const lookup = Promise.all(
      topic.partitions.map(async (_state, partition) => {
        try {
          const [start, end] = await Promise.all([
            this.#parts.offsets.find(topic.name, partition, { earliest: true }, false),
            this.#parts.offsets.find(topic.name, partition, { latest: true }, false),
          ]);
          return { logStartOffset: start.offset, highWatermark: end.offset };
        } catch {
          // A description without ends is better than none.
          return undefined;
        }
      }),
    );
    const timeout = new Promise<undefined[]>((resolve) => {
      this.#ports.timers.after(OFFSETS_TIMEOUT_MS, () => resolve([]));
    });
    return await Promise.race([lookup, timeout]);
  }
}

function countPartitions(image: MetadataImage): {
  partitions: number;
  partitionsWithoutLeader: number;
  partitionsUnderReplicated: number;
  partitionsUnderMinIsr: number;
} {
  const all: { state: PartitionImage; isrMin: number }[] = [];
  for (const topic of image.topics.values()) {
    const isrMin = inSyncReplicasMin(image, topic.name);
    for (const state of topic.partitions) {
      all.push({ state, isrMin: effectiveInSyncMin(isrMin, state) });
    }
  }
  return {
    partitions: all.length,
    partitionsWithoutLeader: all.filter(({ state }) => state.leader === -1).length,
    partitionsUnderReplicated: all.filter(({ state }) => state.isr.length < state.replicas.length)
      .length,
    partitionsUnderMinIsr: all.filter(({ state, isrMin }) => state.isr.length < isrMin).length,
  };
}
