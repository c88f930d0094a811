/**
 * A member of a group that a client has over one gRPC stream. The broker joins for it, keeps its
 * session alive, reads what it is assigned and takes its commits; the client sees partitions come
 * and go, and records.
 *
 * Nothing of a partition is sent any more once it may be somebody else's: it is revoked before the
 * member joins again (or, with a cooperative assignor, when the assignment leaves it out), and when
 * the coordinator was not heard of for a session.
 */
import type { Assignor } from "@strandline/coordination";
import { BrokerError, type ErrorCode } from "@strandline/model";
import type { RpcStream } from "@strandline/platform";
import type {
  GroupCommit,
  GroupCommitted,
  GroupJoin,
  GroupPartition,
  OutgoingGroupConsumeResponse,
} from "@strandline/rpc";
import type { BrokerPorts } from "../ports.js";
import type { ConsumeService } from "../services/consume.js";
import type { Directory } from "../services/directory.js";
import type { GroupService } from "../services/groups.js";
import { CommitQueue, type Committer } from "./commit-queue.js";
import {
  areSameCounts,
  assignedPartitions,
  assignorsOf,
  partitionCounts,
  planFor,
  protocolsOf,
} from "./member-plan.js";
import { type Joined, Membership, Outdated, RETRY_MS } from "./membership.js";
import { PartitionReaders } from "./partition-readers.js";
import { Closed, Pauses } from "./pauses.js";

/** How long commits may take that were on their way when the client ended its side. */
const END_MS_MAX = 10_000;

export interface GroupMemberParts {
  readonly groups: GroupService;
  readonly consume: ConsumeService;
  readonly directory: Directory;
}

export interface GroupMemberOptions {
  readonly join: GroupJoin;
  /** Host of the client, as others are told. */
  readonly clientHost: string;
  readonly stream: RpcStream<OutgoingGroupConsumeResponse>;
}

type Ports = Pick<BrokerPorts, "clock" | "timers" | "logger">;
/** Topics of the whole group, and how many partitions those had that existed. */
interface Planned {
  readonly topics: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

export class GroupMember implements Committer {
  readonly #ports: Ports;
  readonly #parts: GroupMemberParts;
  readonly #options: GroupMemberOptions;
  readonly #assignors: readonly Assignor[];
  readonly #membership: Membership;
  readonly #readers: PartitionReaders;
  readonly #commits: CommitQueue;
  readonly #pauses: Pauses;
  /** The assignor of the generation that the member is in. */
  #assignor: Assignor | undefined;
  /** As the leader: what the assignment was made for. */
  #planned: Planned | undefined;
  /** It gave its partitions up by itself; the group still counts on it. */
  #hasLost = false;
  #released: { readonly id: number; readonly partitions: readonly GroupPartition[] } | undefined;
  #revocations = 0;
  #isSettled = false;
  #isSentAway = false;

  /** Throws INVALID_REQUEST. */
  constructor(ports: Ports, parts: GroupMemberParts, options: GroupMemberOptions) {
    const { join, stream } = options;
    if (join.topics.length === 0) throw new BrokerError("INVALID_REQUEST", "no topic to read");
    this.#ports = ports;
    this.#parts = parts;
    this.#options = options;
    this.#assignors = assignorsOf(join.assignors);
    this.#pauses = new Pauses(ports.timers);
    const membership = {
      clock: ports.clock,
      groups: parts.groups,
      pauses: this.#pauses,
      onUnheard: () => this.#unheard(),
    };
    this.#membership = new Membership(membership, join, options.clientHost);
    this.#commits = new CommitQueue(this.#membership, this, (error) => this.#fail(error));
    this.#readers = new PartitionReaders(parts.consume, {
      start: join.start ?? { latest: true },
      asBatches: join.asBatches,
      bytesMax: join.bytesMax,
      windowBytes: join.windowBytes > 0 ? join.windowBytes : Number.POSITIVE_INFINITY,
      send: (records, onTaken) => stream.send({ records }, onTaken),
    });
  }

  start(): void {
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  commit(commit: GroupCommit): void {
    this.#commits.add(commit);
  }

  /** The client has done with what was revoked, and has committed what it wanted to. */
  release(revocationId: number): void {
    void this.#commits.afterwards(() => {
      if (this.#released?.id !== revocationId) return;
      this.#released = undefined;
      this.#pauses.wake();
    });
  }

  /** The client has room again for so many bytes. */
  taken(bytes: number): void {
    this.#readers.taken(bytes);
  }

  drained(): void {
    this.#readers.drained();
  }

  /** The client ends its side: what it has committed is still taken, then the member leaves. */
  async end(): Promise<void> {
    // Not taken away yet: what was done of them may still be committed.
    this.#readers.mute();
    const isLate = this.#pauses.delay(END_MS_MAX);
    await Promise.race([this.#commits.afterwards(), isLate.promise]);
    isLate.cancel();
    if (this.#pauses.isClosed) return;
    await this.close();
    this.#options.stream.end();
  }

  /** The client has gone. A static member keeps its place for its session. Idempotent. */
  async close(): Promise<void> {
    if (this.#pauses.isClosed) return;
    this.#pauses.close();
    this.#readers.stopAll();
    try {
      await this.#membership.leave();
    } catch (error) {
      const { groupId, memberId } = this.#membership;
      this.#ports.logger.debug(
        { groupId, memberId, error: String(error) },
        "a member could not say that it leaves; its session will end",
      );
    }
  }

  holds({ topic, partition }: GroupPartition): boolean {
    const isOfPlace = (other: GroupPartition): boolean =>
      other.topic === topic && other.partition === partition;
    return (
      this.#readers.has({ topic, partition }) || (this.#released?.partitions ?? []).some(isOfPlace)
    );
  }

  async settled(): Promise<void> {
    while (!this.#isSettled) await this.#pauses.wait(RETRY_MS);
  }

  answer(committed: GroupCommitted): void {
    if (!this.#pauses.isClosed) this.#options.stream.send({ committed });
  }

  /** From generation to generation, until the stream is over. */
  async #run(): Promise<void> {
    for (;;) {
      try {
        await this.#enter();
        await this.#stay();
      } catch (error) {
        if (error instanceof Closed) return;
        if (!(error instanceof Outdated)) throw error;
        this.#outdated(error.code);
      }
    }
  }

  async #enter(): Promise<void> {
    // One that was sent away does not storm back.
    if (this.#isSentAway) await this.#pauses.wait(RETRY_MS);
    this.#isSentAway = false;
    const joined = await this.#join();
    await this.#sync(joined);
  }

  async #join(): Promise<Joined> {
    if (this.#assignor?.isCooperative !== true) await this.#revoke(this.#readers.partitions);
    this.#isSettled = false;
    const { topics } = this.#options.join;
    const joined = await this.#membership.join(() =>
      protocolsOf(this.#assignors, {
        topics,
        owned: this.#readers.partitions,
        generation: this.#membership.generation,
      }),
    );
    this.#assignor = this.#assignors.find(({ name }) => name === joined.protocolName);
    // Somebody has come who cannot be cooperative: what was kept may be assigned to others now.
    if (this.#assignor?.isCooperative !== true) this.#lose();
    return joined;
  }

  /** Learns what to read; as the leader, says it for all. */
  async #sync(joined: Joined): Promise<void> {
    const { directory } = this.#parts;
    const isLeader = joined.leaderId === joined.memberId;
    const plan = isLeader ? planFor(directory, joined) : undefined;
    this.#planned =
      plan === undefined
        ? undefined
        : { topics: plan.topics, counts: partitionCounts(directory, plan.topics) };
    const assignment = await this.#membership.sync(
      joined.protocolName,
      joined.skipAssignment ? [] : (plan?.assignments ?? []),
    );
    this.#hasLost = false;
    this.#isSettled = true;
    this.#pauses.wake();
    await this.#take(assignedPartitions(assignment));
  }

  /** Lets go of what was taken away, and begins with what is new. */
  async #take(assigned: readonly GroupPartition[]): Promise<void> {
    const isAssigned = ({ topic, partition }: GroupPartition): boolean =>
      assigned.some((other) => other.topic === topic && other.partition === partition);
    const gone = this.#readers.partitions.filter((place) => !isAssigned(place));
    const fresh = assigned.filter((place) => !this.#readers.has(place));
    await this.#begin(fresh);
    if (gone.length === 0) return;
    await this.#revoke(gone);
    // What was let go waits for a generation in which somebody else may have it.
    if (this.#assignor?.isCooperative === true) throw new Outdated("REBALANCE_IN_PROGRESS");
  }

  async #begin(fresh: readonly GroupPartition[]): Promise<void> {
    const partitions = await this.#membership.starts(fresh);
    const { memberId, generation } = this.#membership;
    this.#options.stream.send({ assigned: { memberId, generation, partitions } });
    for (const place of partitions) this.#readers.start(place);
  }

  /** Heartbeats, until the group wants something else. */
  async #stay(): Promise<never> {
    for (;;) {
      await this.#pauses.wait(this.#membership.heartbeatMs);
      await this.#membership.heartbeat();
      if (this.#hasLost) throw new Outdated("ILLEGAL_GENERATION");
      // A leader that joins again has everyone assigned anew.
      if (this.#isPlanOld()) throw new Outdated("REBALANCE_IN_PROGRESS");
    }
  }

  /** Sends no more of these partitions, and waits for the client to be done with them. */
  async #revoke(partitions: readonly GroupPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    for (const place of partitions) this.#readers.stop(place);
    const id = ++this.#revocations;
    this.#released = { id, partitions };
    this.#options.stream.send({ revoked: { revocationId: id, partitions, isLost: false } });
    const deadlineMs = this.#ports.clock.monotonicMs() + this.#membership.rebalanceMs / 2;
    while (this.#released !== undefined) {
      if (this.#ports.clock.monotonicMs() >= deadlineMs) break;
      await this.#pauses.wait(this.#membership.heartbeatMs);
      if (this.#released !== undefined) await this.#heartbeatWhileWaiting();
    }
    this.#released = undefined;
  }

  /** That a rebalance goes on is known already. */
  async #heartbeatWhileWaiting(): Promise<void> {
    try {
      await this.#membership.heartbeat();
    } catch (error) {
      if (!(error instanceof Outdated) || error.code !== "REBALANCE_IN_PROGRESS") throw error;
    }
  }

  #outdated(code: ErrorCode): void {
    if (code === "REBALANCE_IN_PROGRESS") return;
    this.#lose();
    this.#isSentAway = true;
    this.#membership.lapse(code);
  }

  /** Others may read already what this member held. */
  #lose(): void {
    const { partitions } = this.#readers;
    this.#readers.stopAll();
    this.#released = undefined;
    this.#isSettled = false;
    if (partitions.length === 0) return;
    const revocationId = ++this.#revocations;
    this.#options.stream.send({ revoked: { revocationId, partitions, isLost: true } });
  }

  /** Others may be in its place by now. */
  #unheard(): void {
    this.#lose();
    this.#hasLost = true;
  }

  /** True when a topic of the group has come, gone or grown since it was assigned. */
  #isPlanOld(): boolean {
    if (this.#planned === undefined) return false;
    const { topics, counts } = this.#planned;
    return !areSameCounts(counts, partitionCounts(this.#parts.directory, topics));
  }

  #fail(error: unknown): void {
    if (error instanceof Closed) return;
    const { groupId, memberId } = this.#membership;
    const isRefusal = error instanceof BrokerError;
    if (!isRefusal) {
      this.#ports.logger.error({ groupId, memberId, error: String(error) }, "a member failed");
    }
    const reason = isRefusal
      ? error
      : new BrokerError("UNKNOWN_SERVER_ERROR", "the broker failed to keep this member");
    this.#options.stream.abort(reason);
    this.close().catch(() => {});
  }
}
