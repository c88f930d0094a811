/**
 * Consumer groups, for every door: brings a command to the shard of its group, here or, where the
 * caller wants that, at the broker that coordinates it.
 *
 * What the shard cannot know is decided here: which topics there are, and what a new member is
 * called.
 */
import {
  type CommitCommand,
  type DeleteOffsetsCommand,
  type DescribeCommand,
  type FetchOffsetsCommand,
  type GroupCommand,
  type GroupResponse,
  groupPartition,
  type HeartbeatCommand,
  type JoinCommand,
  type LeaveCommand,
  type ListCommand,
  type ListedGroup,
  type OffsetToCommit,
  type PartitionOutcome,
  type SyncCommand,
  type TopicOf,
} from "@strandline/coordination";
import type { MetadataImage } from "@strandline/metadata";
import { BrokerError, type ErrorCode, GROUPS_TOPIC, type NodeId } from "@strandline/model";
import type { Clock, Logger, Random, Timers, Transport } from "@strandline/platform";
import { coordinationMethods } from "@strandline/rpc";
import type { Coordinators } from "../coordinator/coordinators.js";
import type { Directory } from "./directory.js";
import { decodeJsonBytes, encodeJsonBytes } from "./json-bytes.js";
import type { OffsetsTopic } from "./offsets-topic.js";

/**
 * What a request of a member may carry, all its words for assignors together: the record of a group
 * holds those of all its members, and has to fit a batch.
 */
const METADATA_BYTES_MAX = 1024 * 1024;
/** For requests that are answered at once. */
const FORWARD_TIMEOUT_MS = 15_000;
const REBALANCE_GRACE_MS = 10_000;
/** How long a request that is passed on waits for a coordinator. */
const MOVING_MS_MAX = 10_000;
const RETRY_MS = 50;
const MOVING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "NOT_COORDINATOR",
  "COORDINATOR_LOAD_IN_PROGRESS",
  "COORDINATOR_NOT_AVAILABLE",
]);

type Kind = GroupCommand["kind"];
type Body<K extends Kind> = Omit<Extract<GroupCommand, { kind: K }>, "kind">;
type Answer<K extends Kind> = Extract<GroupResponse, { kind: K }>;

export interface GroupCallOptions {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
  /** Passes the request on to the broker that coordinates; else NOT_COORDINATOR is thrown. */
  readonly forwards?: boolean;
}

export interface GroupServicePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly transport: Transport;
  readonly logger: Logger;
}

export interface GroupServiceParts {
  readonly directory: Directory;
  readonly topic: OffsetsTopic;
  readonly coordinators: Coordinators<GroupCommand, GroupResponse>;
}

/**
 * Every method throws NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS or COORDINATOR_NOT_AVAILABLE,
 * and NETWORK_EXCEPTION when a request was passed on and nobody knows what became of it.
 */
export class GroupService {
  readonly #ports: GroupServicePorts;
  readonly #parts: GroupServiceParts;

  constructor(ports: GroupServicePorts, parts: GroupServiceParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /**
   * The broker that coordinates a group; undefined while nobody does. The topic of groups is made
   * when it is missing.
   */
  coordinatorOf(groupId: string): NodeId | undefined {
    const count = this.#parts.topic.partitionCount;
    if (count === undefined) {
      this.#parts.topic.createSoon();
      return undefined;
    }
    return this.#leaderOf(groupPartition(groupId, count));
  }

  async join(
    body: Omit<Body<"join">, "newMemberId">,
    options: GroupCallOptions,
  ): Promise<Answer<"join">> {
    requireGroupId(body.groupId);
    requireSize(body.protocols.map(({ metadata }) => metadata));
    const newMemberId = `${body.instanceId ?? body.clientId}-${this.#uuid()}`;
    const command: JoinCommand = { kind: "join", newMemberId, ...body };
    return await this.#run(command, options);
  }

  async sync(body: Body<"sync">, options: GroupCallOptions): Promise<Answer<"sync">> {
    requireGroupId(body.groupId);
    requireSize(body.assignments.map(({ assignment }) => assignment));
    const command: SyncCommand = { kind: "sync", ...body };
    return await this.#run(command, options);
  }

  async heartbeat(
    body: Body<"heartbeat">,
    options: GroupCallOptions,
  ): Promise<Answer<"heartbeat">> {
    requireGroupId(body.groupId);
    const command: HeartbeatCommand = { kind: "heartbeat", ...body };
    return await this.#run(command, options);
  }

  async leave(body: Body<"leave">, options: GroupCallOptions): Promise<Answer<"leave">> {
    requireGroupId(body.groupId);
    const command: LeaveCommand = { kind: "leave", ...body };
    return await this.#run(command, options);
  }

  /** Partitions that do not exist are refused one by one; the others are committed. */
  async commit(body: Body<"commit">, options: GroupCallOptions): Promise<Answer<"commit">> {
    const { image } = this.#parts.directory;
    const known = body.topics.flatMap(({ topic, partitions }) => {
      const existing = partitions.filter(({ partition }) => exists(image, topic, partition));
      return existing.length === 0 ? [] : [{ topic, partitions: existing }];
    });
    if (known.length === 0 && body.topics.length > 0) {
      return { kind: "commit", error: undefined, topics: merged(body.topics, []) };
    }
    const command: CommitCommand = { kind: "commit", ...body, topics: known };
    const answer = await this.#run(command, options);
    return { ...answer, topics: merged(body.topics, answer.topics) };
  }

  async fetchOffsets(
    body: Body<"fetch-offsets">,
    options: GroupCallOptions,
  ): Promise<Answer<"fetch-offsets">> {
    const command: FetchOffsetsCommand = { kind: "fetch-offsets", ...body };
    return await this.#run(command, options);
  }

  async describe(body: Body<"describe">, options: GroupCallOptions): Promise<Answer<"describe">> {
    requireGroupId(body.groupId);
    const command: DescribeCommand = { kind: "describe", ...body };
    return await this.#run(command, options);
  }

  async deleteGroup(
    body: Body<"delete-group">,
    options: GroupCallOptions,
  ): Promise<Answer<"delete-group">> {
    requireGroupId(body.groupId);
    return await this.#run({ kind: "delete-group", ...body }, options);
  }

  async deleteOffsets(
    body: Body<"delete-offsets">,
    options: GroupCallOptions,
  ): Promise<Answer<"delete-offsets">> {
    requireGroupId(body.groupId);
    const { image } = this.#parts.directory;
    const command: DeleteOffsetsCommand = {
      kind: "delete-offsets",
      ...body,
      topics: body.topics.flatMap(({ topic, partitions }) => {
        const existing = partitions.filter((partition) => exists(image, topic, partition));
        return existing.length === 0 ? [] : [{ topic, partitions: existing }];
      }),
    };
    const answer = await this.#run(command, options);
    if (answer.error !== undefined) return answer;
    const asked = body.topics.map(({ topic, partitions }) => {
      return { topic, partitions: partitions.map((partition) => ({ partition })) };
    });
    return { ...answer, topics: merged(asked, answer.topics) };
  }

  /**
   * Groups that this broker coordinates; with `forwards`, those of all brokers. Throws when some of
   * them cannot be known now.
   */
  async list(body: Body<"list">, options: GroupCallOptions): Promise<readonly ListedGroup[]> {
    const command: ListCommand = { kind: "list", ...body };
    const { coordinators, topic } = this.#parts;
    const count = options.forwards === true ? (topic.partitionCount ?? 0) : 0;
    const partitions =
      options.forwards === true
        ? Array.from({ length: count }, (_, index) => index)
        : coordinators.coordinated();
    // Fifty calls at once are too many listeners for one signal, and each of them is short.
    const { forwards = false } = options;
    const answers = await Promise.all(
      partitions.map(async (partition) => await this.#runOn(partition, command, { forwards })),
    );
    return answers.flatMap((answer) => (answer.kind === "list" ? answer.groups : []));
  }

  /** Topics are gone for good, and what groups have committed for them. Never throws. */
  async topicsDeleted(topics: readonly string[]): Promise<void> {
    for (const partition of this.#parts.coordinators.coordinated()) {
      try {
        await this.#runOn(partition, { kind: "topics-deleted", topics }, {});
      } catch (error) {
        // Offsets of a topic that is gone hurt nobody; they expire in their time.
        this.#ports.logger.debug(
          { partition, error: String(error) },
          "offsets of deleted topics stay for now",
        );
      }
    }
  }

  /** For the other brokers: runs a command that one of them passes on. */
  async passedOn(bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { command, partition } = readPassedOn(bytes);
    return encodeJsonBytes(await this.#runOn(partition, command, { signal }));
  }

  async #run<K extends Kind>(
    command: GroupCommand & { readonly kind: K; readonly groupId: string },
    options: GroupCallOptions,
  ): Promise<Answer<K>> {
    const { topic } = this.#parts;
    if (topic.partitionCount === undefined && options.forwards === true) await topic.create();
    const count = topic.partitionCount;
    if (count === undefined) {
      throw new BrokerError("NOT_COORDINATOR", "no broker coordinates groups yet");
    }
    const partition = groupPartition(command.groupId, count);
    return (await this.#runOn(partition, command, options)) as Answer<K>;
  }

  /** With `forwards`, tries for a while: the coordinator may be on its way. */
  async #runOn(
    partition: number,
    command: GroupCommand,
    options: GroupCallOptions,
  ): Promise<GroupResponse> {
    const { clock, timers } = this.#ports;
    const deadlineMs = clock.monotonicMs() + (options.forwards === true ? MOVING_MS_MAX : 0);
    for (;;) {
      try {
        return await this.#attempt(partition, command, options);
      } catch (error) {
        // Each of these is an answer: nothing is under way that could arrive behind the next try.
        const isMoving = error instanceof BrokerError && MOVING.has(error.code);
        if (!isMoving || clock.monotonicMs() >= deadlineMs || options.signal?.aborted) throw error;
      }
      await new Promise<void>((resolve) => {
        timers.after(RETRY_MS, resolve);
      });
    }
  }

  async #attempt(
    partition: number,
    command: GroupCommand,
    options: GroupCallOptions,
  ): Promise<GroupResponse> {
    const { directory, coordinators } = this.#parts;
    const leader = this.#leaderOf(partition);
    if (options.forwards === true && leader !== directory.nodeId) {
      return await this.#passOn(partition, command, { leader, signal: options.signal });
    }
    return await coordinators.submit(partition, command, {
      signal: options.signal,
      isWrite: WRITES.has(command.kind),
    });
  }

  async #passOn(
    partition: number,
    command: GroupCommand,
    to: { readonly leader: NodeId | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<GroupResponse> {
    const { image } = this.#parts.directory;
    const address = to.leader === undefined ? undefined : image.nodes.get(to.leader)?.peerAddress;
    if (address === undefined) {
      throw new BrokerError("COORDINATOR_NOT_AVAILABLE", "no broker coordinates this group now");
    }
    try {
      const { response } = await this.#ports.transport.call(
        address,
        coordinationMethods.group,
        { command: encodeJsonBytes({ partition, command }) },
        { timeoutMs: timeoutMs(command), signal: to.signal },
      );
      return decodeJsonBytes(response as Uint8Array) as GroupResponse;
    } catch (error) {
      if (error instanceof BrokerError) throw error;
      throw new BrokerError("NETWORK_EXCEPTION", "the coordinator did not answer", {
        cause: error,
      });
    }
  }

  #leaderOf(partition: number): NodeId | undefined {
    const { image } = this.#parts.directory;
    const id = image.topicIds.get(GROUPS_TOPIC);
    const leader = id === undefined ? -1 : image.topics.get(id)?.partitions[partition]?.leader;
    return leader === undefined || leader === -1 ? undefined : leader;
  }

  #uuid(): string {
    const hex = [...this.#ports.random.bytes(16)]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
}

/** What cannot be answered while too few replicas are in sync. */
const WRITES: ReadonlySet<Kind> = new Set<Kind>([
  "join",
  "sync",
  "leave",
  "commit",
  "delete-group",
  "delete-offsets",
  "topics-deleted",
]);

const KINDS: ReadonlySet<string> = new Set<Kind>([
  ...WRITES,
  "heartbeat",
  "fetch-offsets",
  "describe",
  "list",
]);

function requireGroupId(groupId: string): void {
  if (groupId === "") throw new BrokerError("INVALID_GROUP_ID", "a group's id is not empty");
}

function requireSize(parts: readonly Uint8Array[]): void {
  const bytes = parts.reduce((total, part) => total + part.length, 0);
  if (bytes <= METADATA_BYTES_MAX) return;
  throw new BrokerError(
    "INVALID_REQUEST",
    `a member's request has at most ${METADATA_BYTES_MAX} bytes`,
  );
}

function exists(image: MetadataImage, topic: string, partition: number): boolean {
  const id = image.topicIds.get(topic);
  return id !== undefined && image.topics.get(id)?.partitions[partition] !== undefined;
}

/**
 * One outcome for each partition that was asked for, in its order: what has none is unknown. A topic
 * without partitions is left out, as Kafka does.
 */
function merged(
  asked: readonly TopicOf<Pick<OffsetToCommit, "partition">>[],
  answered: readonly TopicOf<PartitionOutcome>[],
): TopicOf<PartitionOutcome>[] {
  const outcomes = new Map<string, PartitionOutcome>();
  for (const { topic, partitions } of answered) {
    for (const outcome of partitions) outcomes.set(`${outcome.partition} ${topic}`, outcome);
  }
  const named = asked.filter(({ partitions }) => partitions.length > 0);
  return named.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => {
      const unknown = { partition, error: "UNKNOWN_TOPIC_OR_PARTITION" as const };
      return outcomes.get(`${partition} ${topic}`) ?? unknown;
    }),
  }));
}

function timeoutMs(command: GroupCommand): number {
  if (command.kind !== "join" && command.kind !== "sync") return FORWARD_TIMEOUT_MS;
  const rebalanceMs = command.kind === "join" ? command.rebalanceTimeoutMs : undefined;
  return Math.max(rebalanceMs ?? 0, REBALANCE_MS_DEFAULT) + REBALANCE_GRACE_MS;
}

/** What a sync may wait for the leader of its group. */
const REBALANCE_MS_DEFAULT = 300_000;

function readPassedOn(bytes: Uint8Array): { partition: number; command: GroupCommand } {
  const value = decodeJsonBytes(bytes) as { partition?: unknown; command?: { kind?: unknown } };
  const kind = value?.command?.kind;
  if (!Number.isSafeInteger(value?.partition) || typeof kind !== "string" || !KINDS.has(kind)) {
    throw new BrokerError("INVALID_REQUEST", "no group command that this broker knows");
  }
  return value as { partition: number; command: GroupCommand };
}
