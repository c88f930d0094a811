/**
 * One consumer group: its state, its members, the protocol they agree on, its offsets. What
 * happens to it and when is for the rules to say; here are only the facts, and what follows from
 * them.
 */
import { assert, type ErrorCode } from "@strandline/model";
import { CommittedOffsets } from "./committed-offsets.js";
import { CONSUMER_PROTOCOL_TYPE, readSubscription } from "./consumer-protocol.js";
import type { Deadline } from "./deadlines.js";
import type { MemberProtocol } from "./group-command.js";
import type { GroupStateName } from "./group-response.js";
import type { Member } from "./member.js";
import { MalformedError } from "./records/byte-reader.js";
import type { GroupValue } from "./records/group-value.js";
import type { Work } from "./work.js";

/** Which states a group may come from. Dead is the end, and can be reached from everywhere. */
const COMES_FROM: Readonly<Record<GroupStateName, readonly GroupStateName[]>> = {
  Empty: ["PreparingRebalance"],
  PreparingRebalance: ["Stable", "CompletingRebalance", "Empty"],
  CompletingRebalance: ["PreparingRebalance"],
  Stable: ["CompletingRebalance"],
  Dead: ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"],
};

export interface GroupDeadlines {
  /** Ends the waiting for members to join. */
  readonly join: Deadline<Work>;
  /** Ends the waiting for members to fetch their assignment. */
  readonly sync: Deadline<Work>;
}

export class Group {
  readonly groupId: string;
  readonly deadlines: GroupDeadlines;
  readonly offsets = new CommittedOffsets();
  /** In the order in which they came. */
  readonly members = new Map<string, Member>();
  /** Ids that were given out; they count as members once they are used to join. */
  readonly pending = new Map<string, Deadline<Work>>();
  /** Members that have yet to fetch the assignment of this generation. */
  readonly unsynced = new Set<string>();
  readonly #staticMembers = new Map<string, string>();
  #state: GroupStateName = "Empty";
  /** When it came into its state, by the calendar; undefined if its record did not say. */
  stateSinceMs: number | undefined;
  generation = 0;
  /** Undefined until a member has joined: the group only keeps offsets. */
  protocolType: string | undefined;
  /** Chosen for the generation. */
  protocolName: string | undefined;
  leaderId: string | undefined;
  /** Topics that the members read in this generation; undefined if their bytes do not say. */
  subscribed: ReadonlySet<string> | undefined;
  /** The rebalance began without any member, so that more are waited for. */
  isInitialRebalance = false;
  /** Of the initial rebalance: the length of the wait that goes on, and what may be added to it. */
  initialDelay = { spentMs: 0, remainingMs: 0, isForPending: false };
  /** A member came during the initial rebalance since its deadline was last set. */
  hasNewcomers = false;
  /** The offsets topic has a record of the group, not only of its offsets. */
  isRecorded = false;

  constructor(groupId: string, makeDeadlines: (group: Group) => GroupDeadlines) {
    this.groupId = groupId;
    this.deadlines = makeDeadlines(this);
  }

  get state(): GroupStateName {
    return this.#state;
  }

  enter(state: GroupStateName, wallMs: number): void {
    assert(COMES_FROM[state].includes(this.#state), `a group goes from ${this.#state} to ${state}`);
    this.isInitialRebalance = state === "PreparingRebalance" && this.#state === "Empty";
    this.#state = state;
    this.stateSinceMs = wallMs;
  }

  get canRebalance(): boolean {
    return COMES_FROM.PreparingRebalance.includes(this.#state);
  }

  /** The longest that one of its members may take to join again. */
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { terms } of this.members.values()) {
      longest = Math.max(longest, terms.rebalanceTimeoutMs);
    }
    return longest;
  }

  /** What its members say to their assignors, all together. Bytes. */
  get metadataBytes(): number {
    let bytes = 0;
    for (const { terms } of this.members.values()) bytes += metadataBytesOf(terms.protocols);
    return bytes;
  }

  get joiningCount(): number {
    let count = 0;
    for (const { joinTicket } of this.members.values()) if (joinTicket !== undefined) count++;
    return count;
  }

  get haveAllJoined(): boolean {
    return this.pending.size === 0 && this.joiningCount === this.members.size;
  }

  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  /** When its members' bytes do not say what they read, they may read anything. */
  isSubscribedTo(topic: string): boolean {
    return this.subscribed?.has(topic) ?? this.usesConsumerProtocol;
  }

  staticMemberId(instanceId: string): string | undefined {
    return this.#staticMembers.get(instanceId);
  }

  add(member: Member, protocolType: string): void {
    if (this.members.size === 0) this.protocolType = protocolType;
    this.leaderId ??= member.memberId;
    this.members.set(member.memberId, member);
    if (member.instanceId !== undefined) {
      this.#staticMembers.set(member.instanceId, member.memberId);
    }
    this.dropPending(member.memberId);
  }

  /** Takes a member out, with everything that waits for it or for which it waits. */
  remove(member: Member): void {
    const { memberId, instanceId } = member;
    member.session.cancel();
    this.members.delete(memberId);
    this.unsynced.delete(memberId);
    if (instanceId !== undefined && this.#staticMembers.get(instanceId) === memberId) {
      this.#staticMembers.delete(instanceId);
    }
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value;
  }

  /** Puts `successor` in the place of the static member `former`, its rank and lead included. */
  replace(former: Member, successor: Member): void {
    const isLeader = this.leaderId === former.memberId;
    const members = [...this.members.values()];
    this.remove(former);
    this.members.clear();
    for (const member of members) {
      const kept = member === former ? successor : member;
      this.members.set(kept.memberId, kept);
    }
    this.#staticMembers.set(successor.instanceId as string, successor.memberId);
    if (isLeader) this.leaderId = successor.memberId;
  }

  dropPending(memberId: string): void {
    this.pending.get(memberId)?.cancel();
    this.pending.delete(memberId);
  }

  /** Why a request in the name of this member is refused. */
  memberProblem(memberId: string, instanceId: string | undefined): ErrorCode | undefined {
    if (instanceId !== undefined) {
      const current = this.#staticMembers.get(instanceId);
      if (current === undefined) return "UNKNOWN_MEMBER_ID";
      if (current !== memberId) return "FENCED_INSTANCE_ID";
    }
    return this.members.has(memberId) ? undefined : "UNKNOWN_MEMBER_ID";
  }

  /** True when everyone could go on with at least one of the protocols. */
  admits(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (protocols.length === 0 || protocolType === "") return false;
    if (this.members.size === 0) return true;
    if (protocolType !== this.protocolType) return false;
    const common = this.#commonProtocols();
    return protocols.some(({ name }) => common.has(name));
  }

  /**
   * The protocol of the next generation. Each member votes for the first of its own that all
   * support; of two with as many votes, the one that was voted for first wins.
   */
  chooseProtocol(): string {
    const votes = new Map<string, number>();
    const common = this.#commonProtocols();
    for (const { terms } of this.members.values()) {
      const vote = terms.protocols.find(({ name }) => common.has(name));
      assert(vote !== undefined, "members of a group have a protocol in common");
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    const [first, ...others] = [...votes];
    assert(first !== undefined, "a group that chooses a protocol has members");
    let chosen = first;
    for (const candidate of others) if (candidate[1] > chosen[1]) chosen = candidate;
    return chosen[0];
  }

  /** Makes a member lead that has joined, if the leader has not. False when nobody has. */
  electJoined(): boolean {
    const leader = this.leaderId === undefined ? undefined : this.members.get(this.leaderId);
    if (leader === undefined) return false;
    if (leader.joinTicket !== undefined) return true;
    for (const member of this.members.values()) {
      if (member.joinTicket === undefined) continue;
      this.leaderId = member.memberId;
      return true;
    }
    return false;
  }

  /** Reads from the members of this generation which topics they are subscribed to. */
  readSubscriptions(): void {
    this.subscribed = this.#subscriptions();
  }

  #subscriptions(): ReadonlySet<string> | undefined {
    const topics = new Set<string>();
    if (this.members.size === 0) return topics;
    if (!this.usesConsumerProtocol || this.protocolName === undefined) return undefined;
    for (const member of this.members.values()) {
      try {
        const { topics: read } = readSubscription(member.metadataOf(this.protocolName));
        for (const topic of read) topics.add(topic);
      } catch (error) {
        if (error instanceof MalformedError) return undefined;
        throw error;
      }
    }
    return topics;
  }

  /** What the offsets topic is to keep of it. */
  toValue(): GroupValue {
    const members = [...this.members.values()];
    return {
      protocolType: this.protocolType ?? "",
      generation: this.generation,
      protocolName: this.protocolName,
      leaderId: this.leaderId,
      stateSinceMs: this.stateSinceMs ?? -1,
      members: members.map((member) => ({
        memberId: member.memberId,
        instanceId: member.instanceId,
        clientId: member.terms.clientId,
        clientHost: member.terms.clientHost,
        rebalanceTimeoutMs: member.terms.rebalanceTimeoutMs,
        sessionTimeoutMs: member.terms.sessionTimeoutMs,
        subscription: member.metadataOf(this.protocolName ?? ""),
        assignment: member.assignment,
      })),
    };
  }

  /** Becomes what a record says: a group that has members is in the middle of a generation. */
  restore(value: GroupValue, members: readonly Member[]): void {
    for (const member of [...this.members.values()]) this.remove(member);
    this.generation = value.generation;
    this.protocolType = value.protocolType === "" ? undefined : value.protocolType;
    this.protocolName = value.protocolName;
    this.leaderId = undefined;
    for (const member of members) this.add(member, value.protocolType);
    if (value.leaderId !== undefined && this.members.has(value.leaderId)) {
      this.leaderId = value.leaderId;
    }
    this.stateSinceMs = value.stateSinceMs < 0 ? undefined : value.stateSinceMs;
    this.#state = members.length === 0 ? "Empty" : "Stable";
    this.isRecorded = true;
    this.readSubscriptions();
  }

  /** Names of the protocols that every member supports. */
  #commonProtocols(): ReadonlySet<string> {
    let common: Set<string> | undefined;
    for (const { terms } of this.members.values()) {
      const names = terms.protocols.map(({ name }) => name);
      common = new Set(common === undefined ? names : names.filter((name) => common?.has(name)));
    }
    return common ?? new Set();
  }
}

export function metadataBytesOf(protocols: readonly MemberProtocol[]): number {
  return protocols.reduce((bytes, { metadata }) => bytes + metadata.length, 0);
}
