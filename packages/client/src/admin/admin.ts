/**
 * Topics, configuration and the state of the cluster. Each call goes to any broker, within one
 * deadline for all attempts. What changes something is not repeated once it may have been done:
 * then it ends with `UNAVAILABLE`, and a look at the cluster tells.
 */
import {
  adminMethods,
  type ConfigResource,
  type ErrorDetail,
  errorFromProto,
  type ReplicaList,
} from "@strandline/rpc";
import { backoffMs } from "../backoff.js";
import type { ResolvedClientOptions } from "../client-options.js";
import type { BrokerCaller, CallPolicy } from "../cluster/broker-caller.js";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import type { FoundOffset } from "../cluster/offset-finder.js";
import { ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { sleep } from "../waits.js";
import type {
  AdminCallOptions,
  ClusterDescription,
  ClusterMetadataAnswer,
  ConfigChange,
  ConfigEntry,
  ConfigTarget,
  CreatedTopic,
  DeletedRecords,
  ElectedLeader,
  LeaderElection,
  MoveResult,
  NewPartitions,
  NewTopic,
  OffsetsQuery,
  QuorumDescription,
  RecordsToDelete,
  ReplicaMove,
  TopicDescription,
  TopicListing,
  TopicMetadataAnswer,
} from "./admin-types.js";

/** Answered from what a broker has heard, which may be a little old. */
const READ: CallPolicy = { isRepeatable: true, mayLag: true };
/** Doing it twice is doing it once. */
const REPEATABLE: CallPolicy = { isRepeatable: true, mayLag: false };
const ONCE: CallPolicy = { isRepeatable: false, mayLag: false };

export class Admin {
  readonly #ports: ClientPorts;
  readonly #options: ResolvedClientOptions;
  readonly #cluster: ClusterConnection;
  readonly #caller: BrokerCaller;

  constructor(ports: ClientPorts, options: ResolvedClientOptions, cluster: ClusterConnection) {
    this.#ports = ports;
    this.#options = options;
    this.#cluster = cluster;
    this.#caller = cluster.caller;
  }

  async createTopic(topic: NewTopic, options?: AdminCallOptions): Promise<CreatedTopic> {
    const request = {
      name: topic.name,
      partitions: topic.partitions ?? 0,
      replicationFactor: topic.replicationFactor ?? 0,
      configs: new Map(Object.entries(topic.configs ?? {})),
      assignments: replicaLists(topic.assignments),
      validateOnly: topic.validateOnly ?? false,
      allowWeakDurability: topic.allowWeakDurability ?? false,
    };
    return await this.#caller.call(adminMethods.createTopic, request, ONCE, options);
  }

  async deleteTopic(name: string, options?: AdminCallOptions): Promise<void> {
    await this.#caller.call(adminMethods.deleteTopic, { name }, ONCE, options);
  }

  async listTopics(options?: AdminCallOptions): Promise<readonly TopicListing[]> {
    return (await this.#caller.call(adminMethods.listTopics, {}, READ, options)).topics;
  }

  async describeTopic(name: string, options?: AdminCallOptions): Promise<TopicDescription> {
    const answer = await this.#caller.call(adminMethods.describeTopic, { name }, READ, options);
    return { ...answer, configs: Object.fromEntries(answer.configs) };
  }

  /** Adds partitions; existing ones never move or vanish. */
  async createPartitions(change: NewPartitions, options?: AdminCallOptions): Promise<void> {
    const request = {
      name: change.topic,
      totalCount: change.totalCount,
      assignments: replicaLists(change.assignments),
    };
    await this.#caller.call(adminMethods.createPartitions, request, ONCE, options);
  }

  /** Moves the log start of partitions forward. Each partition has a result of its own. */
  async deleteRecords(
    change: RecordsToDelete,
    options?: AdminCallOptions,
  ): Promise<readonly DeletedRecords[]> {
    const targets = change.targets.map(({ partition, before }) => ({
      partition,
      beforeOffset: before === "high-watermark" ? -1 : before,
    }));
    const request = { topic: change.topic, targets, forwarded: false };
    const answer = await this.#caller.call(
      adminMethods.deleteRecords,
      request,
      REPEATABLE,
      options,
    );
    return answer.results.map((result) => ({ ...result, error: errorOf(result.error) }));
  }

  /** Every setting of the target, with its value, its source and what it means. */
  async describeConfigs(
    target: ConfigTarget,
    options?: AdminCallOptions,
  ): Promise<readonly ConfigEntry[]> {
    const request = { resource: resourceOf(target) };
    return (await this.#caller.call(adminMethods.describeConfigs, request, READ, options)).entries;
  }

  async alterConfigs(change: ConfigChange, options?: AdminCallOptions): Promise<void> {
    const request = {
      resource: resourceOf(change),
      set: new Map(Object.entries(change.set ?? {})),
      remove: change.remove ?? [],
      validateOnly: change.validateOnly ?? false,
      allowWeakDurability: change.allowWeakDurability ?? false,
    };
    await this.#caller.call(adminMethods.alterConfigs, request, REPEATABLE, options);
  }

  /** Gives leadership back to the first replicas. Each partition has a result of its own. */
  async electLeaders(
    election: LeaderElection,
    options?: AdminCallOptions,
  ): Promise<readonly ElectedLeader[]> {
    const request = {
      topic: election.topic,
      partitions: election.partitions ?? [],
      unclean: election.unclean ?? false,
    };
    const answer = await this.#caller.call(adminMethods.electLeaders, request, ONCE, options);
    return answer.results.map((result) => ({ ...result, error: errorOf(result.error) }));
  }

  /**
   * Moves replicas: new ones are added and catch up, then the replaced ones go. The answer says
   * what was accepted; `describeTopic` tells how far it is. Each partition has its own result.
   */
  async alterReassignments(
    moves: readonly ReplicaMove[],
    options?: AdminCallOptions,
  ): Promise<readonly MoveResult[]> {
    const partitions = moves.map((move) => ({ ...move, replicas: [...move.replicas] }));
    const request = { partitions };
    const answer = await this.#caller.call(adminMethods.alterReassignments, request, ONCE, options);
    return answer.results.map((result) => ({ ...result, error: errorOf(result.error) }));
  }

  /** The controllers' log as the active one sees it: who votes, and how far everyone is. */
  async describeQuorum(options?: AdminCallOptions): Promise<QuorumDescription> {
    return await this.#caller.call(adminMethods.describeQuorum, {}, READ, options);
  }

  async describeCluster(options?: AdminCallOptions): Promise<ClusterDescription> {
    return await this.#caller.call(adminMethods.describeCluster, {}, READ, options);
  }

  /** Brokers, and the leaders of the named topics; a topic that is unknown has an `error`. */
  async fetchMetadata(
    topics: readonly string[] = [],
    options?: AdminCallOptions,
  ): Promise<ClusterMetadataAnswer> {
    const answer = await this.#caller.call(adminMethods.getMetadata, { topics }, READ, options);
    const { clusterId, brokers } = answer;
    const described = answer.topics.map(({ name, topicId, partitions, error }) => ({
      name,
      topicId,
      partitions,
      error: errorOf(error),
    }));
    return { clusterId, brokers, topics: described };
  }

  /**
   * Finds offsets by time, or the ends of partitions; in the order of `partitions`. An offset of -1
   * means that no record is as late as the asked time.
   */
  async listOffsets(
    query: OffsetsQuery,
    options: AdminCallOptions = {},
  ): Promise<readonly FoundOffset[]> {
    const partitions = query.partitions ?? (await this.#allPartitions(query.topic, options));
    const questions = partitions.map((partition) => ({ partition, position: query.position }));
    return await this.#cluster.offsets.find(query.topic, questions, options);
  }

  /**
   * Resolves once the topic is known and each of its partitions has a leader; rejects with
   * `UNAVAILABLE` at the deadline.
   */
  async waitForTopic(name: string, options: AdminCallOptions = {}): Promise<TopicMetadataAnswer> {
    const { clock, timers, random } = this.#ports;
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (let failures = 1; ; failures++) {
      const leftMs = Math.max(deadlineMs - clock.monotonicMs(), 1);
      const answer = await this.fetchMetadata([name], { ...options, timeoutMs: leftMs });
      const topic = answer.topics.find((each) => each.name === name);
      if (topic !== undefined && isReady(topic)) return topic;
      const pauseMs = backoffMs(random, this.#options, failures);
      if (clock.monotonicMs() + pauseMs >= deadlineMs) throw notReady(name, timeoutMs, topic);
      await sleep(timers, pauseMs, options.signal);
    }
  }

  async #allPartitions(topic: string, { signal }: AdminCallOptions): Promise<readonly number[]> {
    const view = await this.#cluster.metadata.topicOf(topic, signal);
    return view.partitions.map(({ partition }) => partition);
  }
}

function replicaLists(
  assignments: readonly (readonly number[])[] | undefined,
): readonly ReplicaList[] {
  return (assignments ?? []).map((brokerIds) => ({ brokerIds }));
}

function resourceOf(target: ConfigTarget): ConfigResource {
  if ("topic" in target) return { type: "TYPE_TOPIC", name: target.topic };
  return { type: "TYPE_BROKER", name: "broker" in target ? String(target.broker) : "" };
}

function errorOf(detail: ErrorDetail | undefined) {
  return detail === undefined ? undefined : errorFromProto(detail);
}

function isReady(topic: TopicMetadataAnswer): boolean {
  if (topic.error !== undefined || topic.partitions.length === 0) return false;
  return topic.partitions.every((partition) => partition.leaderId >= 0);
}

function notReady(
  name: string,
  timeoutMs: number,
  topic: TopicMetadataAnswer | undefined,
): ClientError {
  const message = `topic "${name}" had no leader for every partition within ${timeoutMs} ms`;
  return new ClientError("UNAVAILABLE", message, { cause: topic?.error });
}
