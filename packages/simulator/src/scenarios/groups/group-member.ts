/**
 * A member of a simulated group. Joins, shares the partitions out when it leads, commits growing
 * offsets of what it owns, and tells the checkers what it was told. A commit whose outcome it
 * cannot know ends its membership, as a client's that was cut off would: an old request could
 * otherwise arrive behind a newer one.
 */
import type { JoinResponse } from "@strandline/coordination";
import { BrokerError, type ErrorCode } from "@strandline/model";
import { TransportError } from "@strandline/platform";
import type { NodePorts } from "../../node-ports.js";
import type { GroupCaller } from "./group-caller.js";

const SESSION_MS = 4_000;
const REBALANCE_MS = 4_000;
const RETRY_MS = 200;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface GroupMemberOptions {
  readonly name: string;
  readonly groupId: string;
  readonly topic: string;
  readonly partitions: number;
  /** Name of a static member. */
  readonly instanceId: string | undefined;
  readonly pauseMsMax: number;
  /** Something that must not happen to a member. */
  report(problem: string): void;
}

/** What comes after a stay in a group. */
type Next = "rejoin" | "begin anew";

export class GroupMember {
  readonly #ports: NodePorts;
  readonly #caller: GroupCaller;
  readonly #options: GroupMemberOptions;
  #memberId = "";
  #questions = 0;
  #commits = 0;
  #generations = 0;
  #isStopped = false;

  constructor(ports: NodePorts, caller: GroupCaller, options: GroupMemberOptions) {
    this.#ports = ports;
    this.#caller = caller;
    this.#options = options;
  }

  /** Commits that were acknowledged. */
  get commitCount(): number {
    return this.#commits;
  }

  get generationCount(): number {
    return this.#generations;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        if ((await this.#stay()) === "begin anew") this.#memberId = "";
      } catch (error) {
        if (!isExpected(error)) throw error;
        if (isUnknown(error)) this.#memberId = "";
      }
      await this.#pass(this.#ports.random.below(RETRY_MS) + 1);
    }
  }

  /** From a join to the end of its generation. */
  async #stay(): Promise<Next> {
    const joined = await this.#join();
    if (typeof joined === "string") return joined;
    const owned = await this.#sync(joined);
    if (typeof owned === "string") return owned;
    this.#generations += 1;
    const positions = await this.ask(`${this.#options.name}/${this.#questions}`, owned);
    return await this.#work(joined.generation, positions);
  }

  async #join(): Promise<JoinResponse | Next> {
    const { groupId, instanceId, name } = this.#options;
    const response = await this.#caller.call({
      kind: "join",
      groupId,
      memberId: this.#memberId,
      instanceId,
      newMemberId: `${name}-${hex(this.#ports.random.bytes(8))}`,
      requiresKnownMemberId: true,
      supportsSkippingAssignment: false,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: "consumer",
      protocols: [{ name: "simulated", metadata: new Uint8Array([this.#ports.random.below(3)]) }],
      clientId: name,
      clientHost: this.#ports.host,
    });
    if (response.error === "MEMBER_ID_REQUIRED") {
      this.#memberId = response.memberId;
      return "rejoin";
    }
    if (response.error !== undefined) return this.#refused(response.error);
    this.#memberId = response.memberId;
    return response;
  }

  /** Returns the partitions that this member owns now. */
  async #sync(joined: JoinResponse): Promise<readonly number[] | Next> {
    const { groupId, instanceId, partitions } = this.#options;
    const isLeader = joined.leaderId === this.#memberId;
    const assignments = isLeader ? shareOut(joined, partitions) : [];
    const response = await this.#caller.call({
      kind: "sync",
      groupId,
      memberId: this.#memberId,
      instanceId,
      generation: joined.generation,
      protocolType: joined.protocolType,
      protocolName: joined.protocolName,
      assignments,
    });
    if (response.error !== undefined) return this.#refused(response.error);
    const text = decoder.decode(response.assignment);
    const owned = text === "" ? [] : text.split(",").map(Number);
    this.#ports.observe({
      kind: "group-assigned",
      group: groupId,
      generation: joined.generation,
      // A static member keeps its place under another id; the process before it is fenced.
      member: instanceId ?? this.#memberId,
      partitions: owned.map((partition) => this.#key(partition)),
    });
    return owned;
  }

  /** What is committed of some partitions, told to the checkers; -1 for none. */
  async ask(question: string, owned: readonly number[]): Promise<Map<number, number>> {
    const { groupId, topic } = this.#options;
    this.#questions += 1;
    for (const partition of owned) {
      const key = this.#key(partition);
      this.#ports.observe({ kind: "offset-asked", group: groupId, partition: key, question });
    }
    const response = await this.#caller.call({
      kind: "fetch-offsets",
      groupId,
      topics: owned.length === 0 ? [] : [{ topic, partitions: owned }],
    });
    const positions = new Map<number, number>();
    for (const { partitions } of response.topics) {
      for (const { partition, offset } of partitions) {
        positions.set(partition, offset);
        const key = this.#key(partition);
        const answer = { group: groupId, partition: key, question, offset };
        this.#ports.observe({ kind: "offset-answered", ...answer });
      }
    }
    return positions;
  }

  /** Heartbeats and commits until the generation is over. */
  async #work(generation: number, positions: Map<number, number>): Promise<Next> {
    const { random } = this.#ports;
    const { groupId, instanceId } = this.#options;
    const member = { groupId, memberId: this.#memberId, instanceId, generation };
    while (!this.#isStopped) {
      await this.#pass(1 + random.below(this.#options.pauseMsMax));
      if (random.below(200) === 0) return await this.#leave();
      const error =
        random.below(3) === 0
          ? await this.#heartbeat(member)
          : await this.#commit(member, positions);
      if (error === undefined) continue;
      if (error === "REBALANCE_IN_PROGRESS" && random.below(2) === 0) {
        // What was done since is committed before the partitions go to others.
        await this.#commit(member, positions);
      }
      return this.#refused(error);
    }
    return "begin anew";
  }

  async #heartbeat(member: MemberOf): Promise<ErrorCode | undefined> {
    return await this.#answered(async () => {
      return (await this.#caller.call({ kind: "heartbeat", ...member })).error;
    });
  }

  /** Of one partition, or of all that are owned. */
  async #commit(member: MemberOf, positions: Map<number, number>): Promise<ErrorCode | undefined> {
    const { random } = this.#ports;
    const owned = [...positions.keys()];
    const chosen = random.below(2) === 0 ? owned : owned.slice(0, 1);
    const step = 1 + random.below(5);
    const offsets = chosen.map((partition) => ({
      partition,
      offset: Math.max(0, positions.get(partition) ?? 0) + step,
      leaderEpoch: -1,
      metadata: "",
    }));
    const topics = [{ topic: this.#options.topic, partitions: offsets }];
    const response = await this.#answered(async () => {
      const command = { kind: "commit" as const, ...member, retentionMs: undefined, topics };
      const answer = await this.#caller.call(command);
      if (answer.error !== undefined) return answer.error;
      for (const { partition, error } of answer.topics.flatMap((one) => one.partitions)) {
        if (error !== undefined) this.#options.report(`${partition} was refused with ${error}`);
      }
      return undefined;
    });
    if (response !== undefined) return response;
    this.#commits += 1;
    for (const { partition, offset } of offsets) {
      positions.set(partition, offset);
      this.#ports.observe({
        kind: "offset-committed",
        group: this.#options.groupId,
        partition: this.#key(partition),
        offset,
        by: this.#memberId,
      });
    }
    return undefined;
  }

  /** Sends the same again while the coordinator moves: an answer says that nothing is under way. */
  async #answered(send: () => Promise<ErrorCode | undefined>): Promise<ErrorCode | undefined> {
    for (;;) {
      try {
        return await send();
      } catch (error) {
        if (!isMoving(error) || this.#isStopped) throw error;
      }
      await this.#pass(RETRY_MS);
    }
  }

  async #leave(): Promise<Next> {
    const { groupId, instanceId } = this.#options;
    const members = [{ memberId: this.#memberId, instanceId }];
    await this.#caller.call({ kind: "leave", groupId, members });
    return "begin anew";
  }

  #refused(error: ErrorCode): Next {
    if (error === "REBALANCE_IN_PROGRESS" || error === "ILLEGAL_GENERATION") return "rejoin";
    const isGone = error === "UNKNOWN_MEMBER_ID" || error === "FENCED_INSTANCE_ID";
    if (!isGone) this.#options.report(`${this.#options.name} was refused with ${error}`);
    return "begin anew";
  }

  #key(partition: number): string {
    return `${this.#options.topic}-${partition}`;
  }

  async #pass(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ports.timers.after(ms, resolve);
    });
  }
}

interface MemberOf {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly generation: number;
}

/** Round robin, in the order of the members' ids. */
function shareOut(joined: JoinResponse, partitions: number) {
  const members = joined.members.map(({ memberId }) => memberId).sort();
  return members.map((memberId, at) => {
    const owned: number[] = [];
    for (let partition = at; partition < partitions; partition += members.length) {
      owned.push(partition);
    }
    return { memberId, assignment: encoder.encode(owned.join(",")) };
  });
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The coordinator answered that it cannot: another one will, or the same one later. */
function isMoving(error: unknown): boolean {
  return error instanceof BrokerError && error.retriable;
}

/** Nobody knows whether the request arrives yet. */
function isUnknown(error: unknown): boolean {
  return !(error instanceof BrokerError);
}

function isExpected(error: unknown): boolean {
  return error instanceof BrokerError || error instanceof TransportError;
}
