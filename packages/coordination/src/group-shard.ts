/**
 * The groups of one partition of the offsets topic. Commands go in, records and answers come out;
 * replaying the records gives the groups back, with generation, members, assignments and offsets.
 *
 * Whoever drives it appends the records of a step as one batch, and gives an answer out when the
 * records before it are committed. If that fails the shard is thrown away: it cannot take back.
 */
import { type ErrorCode, unreachable } from "@strandline/model";
import { Deadlines } from "./deadlines.js";
import { Group } from "./group.js";
import type {
  CommitCommand,
  DeleteGroupCommand,
  DeleteOffsetsCommand,
  GroupCommand,
  HeartbeatCommand,
  JoinCommand,
  LeaveCommand,
  SyncCommand,
} from "./group-command.js";
import type { GroupConfig } from "./group-config.js";
import type { CoordinationRecord, GroupStep, Moment, Ticket } from "./group-step.js";
import { Member } from "./member.js";
import { MalformedError } from "./records/byte-reader.js";
import { textsFit } from "./records/byte-writer.js";
import { type MemberValue, readGroupValue } from "./records/group-value.js";
import { readOffsetValue } from "./records/offset-value.js";
import { groupKey, type RecordKey, readKey } from "./records/record-key.js";
import { joinRefusal, syncRefusal } from "./rules/answers.js";
import {
  commit,
  commitProblem,
  commitRefusal,
  deleteOffsets,
  dropOffset,
  fetchOffsets,
} from "./rules/committing.js";
import { describe, list } from "./rules/describing.js";
import { join, sessionEnded } from "./rules/joining.js";
import { heartbeat, leave, sync } from "./rules/membership.js";
import {
  joinDeadlinePassed,
  removeAndRebalance,
  renewSession,
  syncDeadlinePassed,
} from "./rules/rebalance.js";
import { expireOffsets, isSpent } from "./rules/retention.js";
import { DELETIONS_MAX } from "./step-limits.js";
import { type ParkedRequests, Work } from "./work.js";

/** Soon, but not within the step that is under way. */
const NEXT_STEP_MS = 1;

export class GroupShard {
  readonly #config: GroupConfig;
  readonly #groups = new Map<string, Group>();
  readonly #deadlines = new Deadlines<Work>();
  readonly #parked: ParkedRequests = new Map();
  /** Topics of which some group may still have offsets. */
  readonly #deletedTopics = new Set<string>();
  readonly #deletion = this.#deadlines.make((work) => this.#dropTopics(work));
  readonly #retention = this.#deadlines.make((work) => this.#expire(work));

  constructor(config: GroupConfig) {
    this.#config = config;
  }

  /** When `tick` next has something to do. */
  get nextDeadlineMs(): number | undefined {
    return this.#deadlines.nextMs;
  }

  /**
   * Takes over one record of the offsets topic, in the order of the log. Returns false for one
   * that is not about groups or cannot be read: it changes nothing.
   */
  replay(record: CoordinationRecord): boolean {
    try {
      const key = readKey(record.key);
      if (key === undefined) return false;
      if (key.kind === "group") this.#replayGroup(key.groupId, record.value);
      else this.#replayOffset(key, record.value);
      return true;
    } catch (error) {
      if (error instanceof MalformedError) return false;
      throw error;
    }
  }

  /** The log has been replayed: whoever is a member has its full session from now on. */
  loaded(now: Moment): void {
    const work = this.#work(now);
    for (const group of this.#groups.values()) {
      for (const member of group.members.values()) renewSession(work, member);
    }
    this.#retention.set(now.monotonicMs + this.#config.offsetsRetentionCheckMs);
  }

  step(command: GroupCommand, ticket: Ticket, now: Moment): GroupStep {
    const work = this.#work(now);
    switch (command.kind) {
      case "join":
        this.#join(work, ticket, command);
        return work;
      case "sync":
        this.#sync(work, ticket, command);
        return work;
      case "heartbeat":
        work.reply(ticket, { kind: "heartbeat", error: this.#heartbeat(work, command) });
        return work;
      case "leave":
        this.#leave(work, ticket, command);
        return work;
      case "commit":
        this.#commit(work, ticket, command);
        return work;
      case "fetch-offsets": {
        const topics = fetchOffsets(this.#groups.get(command.groupId), command);
        work.reply(ticket, { kind: "fetch-offsets", error: undefined, topics });
        return work;
      }
      case "describe":
        work.reply(ticket, describe(command.groupId, this.#groups.get(command.groupId)));
        return work;
      case "list":
        work.reply(ticket, { kind: "list", groups: list(this.#groups.values(), command) });
        return work;
      case "delete-group":
        work.reply(ticket, { kind: "delete-group", error: this.#deleteGroup(work, command) });
        return work;
      case "delete-offsets":
        this.#deleteOffsets(work, ticket, command);
        return work;
      case "topics-deleted":
        for (const topic of command.topics) this.#deletedTopics.add(topic);
        this.#dropTopics(work);
        work.reply(ticket, { kind: "topics-deleted" });
        return work;
      default:
        return unreachable(command);
    }
  }

  /** The caller of a waiting request has gone: no answer will reach it. */
  forget(ticket: Ticket, now: Moment): GroupStep {
    const work = this.#work(now);
    const parked = this.#parked.get(ticket);
    if (parked === undefined) return work;
    this.#parked.delete(ticket);
    const { group, member } = parked;
    if (member.joinTicket === ticket) member.joinTicket = undefined;
    if (member.syncTicket === ticket) member.syncTicket = undefined;
    abandon(work, group, member);
    return work;
  }

  /** Lets pass what has come due: sessions, rebalances, retention. */
  tick(now: Moment): GroupStep {
    const work = this.#work(now);
    this.#deadlines.pass(now.monotonicMs, work);
    return work;
  }

  #work(now: Moment): Work {
    const config = this.#config;
    return new Work({ now, config, deadlines: this.#deadlines, parked: this.#parked });
  }

  #join(work: Work, ticket: Ticket, command: JoinCommand): void {
    const { groupId, memberId } = command;
    const problem = joinProblem(command, this.#config);
    if (problem !== undefined) {
      work.reply(ticket, joinRefusal(problem, memberId));
      return;
    }
    const group = this.#groups.get(groupId);
    if (group === undefined && memberId !== "") {
      work.reply(ticket, joinRefusal("UNKNOWN_MEMBER_ID", memberId));
      return;
    }
    const joined = group ?? this.#makeGroup(groupId);
    join(work, joined, { command, ticket });
    // Refused at the door: nothing is left of a group that nobody has entered.
    if (group === undefined && isSpent(joined)) this.#groups.delete(groupId);
  }

  #sync(work: Work, ticket: Ticket, command: SyncCommand): void {
    const group = this.#groups.get(command.groupId);
    if (command.groupId === "") work.reply(ticket, syncRefusal("INVALID_GROUP_ID"));
    else if (group === undefined) work.reply(ticket, syncRefusal("UNKNOWN_MEMBER_ID"));
    else sync(work, group, { command, ticket });
  }

  #heartbeat(work: Work, command: HeartbeatCommand): ErrorCode | undefined {
    if (command.groupId === "") return "INVALID_GROUP_ID";
    const group = this.#groups.get(command.groupId);
    return group === undefined ? "UNKNOWN_MEMBER_ID" : heartbeat(work, group, command);
  }

  #leave(work: Work, ticket: Ticket, command: LeaveCommand): void {
    if (command.groupId === "") {
      work.reply(ticket, { kind: "leave", error: "INVALID_GROUP_ID", members: [] });
      return;
    }
    const group = this.#groups.get(command.groupId);
    const members =
      group === undefined
        ? command.members.map((member) => ({ ...member, error: "UNKNOWN_MEMBER_ID" as const }))
        : leave(work, group, command);
    work.reply(ticket, { kind: "leave", error: undefined, members });
  }

  #commit(work: Work, ticket: Ticket, command: CommitCommand): void {
    const group = this.#groups.get(command.groupId);
    const problem = this.#commitProblem(group, command);
    if (problem !== undefined) {
      work.reply(ticket, commitRefusal(problem, command));
      return;
    }
    // Whoever needs no members gets a group that only keeps offsets.
    const committed = group ?? this.#makeGroup(command.groupId);
    work.reply(ticket, commit(work, committed, command));
    if (group === undefined && isSpent(committed)) this.#groups.delete(command.groupId);
  }

  #commitProblem(group: Group | undefined, command: CommitCommand): ErrorCode | undefined {
    if (!textsFit([command.groupId])) return "INVALID_GROUP_ID";
    return commitProblem(group, command);
  }

  #deleteGroup(work: Work, command: DeleteGroupCommand): ErrorCode | undefined {
    const group = this.#groups.get(command.groupId);
    if (group === undefined) return "GROUP_ID_NOT_FOUND";
    if (group.state !== "Empty") return "NON_EMPTY_GROUP";
    for (const { topic, partition } of [...group.offsets.entries()]) {
      dropOffset(work, group, { topic, partition });
    }
    this.#remove(work, group);
    return undefined;
  }

  #deleteOffsets(work: Work, ticket: Ticket, command: DeleteOffsetsCommand): void {
    const group = this.#groups.get(command.groupId);
    const problem = command.groupId === "" ? "INVALID_GROUP_ID" : "GROUP_ID_NOT_FOUND";
    const response =
      group === undefined || command.groupId === ""
        ? { kind: "delete-offsets" as const, error: problem as ErrorCode, topics: [] }
        : deleteOffsets(work, group, command);
    work.reply(ticket, response);
  }

  /** Forgets offsets of topics that are gone, as many as one step may; goes on with the next. */
  #dropTopics(work: Work): void {
    for (const topic of this.#deletedTopics) {
      for (const group of this.#groups.values()) {
        for (const partition of group.offsets.partitionsOf(topic)) {
          if (work.records.length >= DELETIONS_MAX) {
            this.#deletion.set(work.now.monotonicMs + NEXT_STEP_MS);
            return;
          }
          dropOffset(work, group, { topic, partition });
        }
      }
      this.#deletedTopics.delete(topic);
    }
  }

  #expire(work: Work): void {
    const { monotonicMs } = work.now;
    for (const group of [...this.#groups.values()]) {
      expireOffsets(work, group);
      if (isSpent(group)) this.#remove(work, group);
      if (work.records.length < DELETIONS_MAX) continue;
      this.#retention.set(monotonicMs + NEXT_STEP_MS);
      return;
    }
    this.#retention.set(monotonicMs + this.#config.offsetsRetentionCheckMs);
  }

  /** Ends a group that has no members and no offsets any more. */
  #remove(work: Work, group: Group): void {
    for (const memberId of [...group.pending.keys()]) group.dropPending(memberId);
    group.enter("Dead", work.now.wallMs);
    if (group.isRecorded) work.write(groupKey(group.groupId), null);
    this.#groups.delete(group.groupId);
  }

  #makeGroup(groupId: string): Group {
    const made = new Group(groupId, (group) => ({
      join: this.#deadlines.make((work) => joinDeadlinePassed(work, group)),
      sync: this.#deadlines.make((work) => syncDeadlinePassed(work, group)),
    }));
    this.#groups.set(groupId, made);
    return made;
  }

  #replayGroup(groupId: string, bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.#forgetGroup(groupId);
      return;
    }
    const value = readGroupValue(bytes);
    const group = this.#groups.get(groupId) ?? this.#makeGroup(groupId);
    const members = value.members.map((member) =>
      this.#restoreMember(group, member, value.protocolName ?? ""),
    );
    group.restore(value, members);
  }

  /** The record of a group is gone. Its offsets have records, and so deletions, of their own. */
  #forgetGroup(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    this.#groups.delete(groupId);
    if (group.offsets.isEmpty) return;
    const kept = this.#makeGroup(groupId);
    for (const { topic, partition, value } of group.offsets.entries()) {
      kept.offsets.set(topic, partition, value);
    }
  }

  #restoreMember(group: Group, value: MemberValue, protocolName: string): Member {
    const { memberId, instanceId, subscription } = value;
    const { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs } = value;
    const protocols = [{ name: protocolName, metadata: subscription }];
    const session = this.#deadlines.make((later) => sessionEnded(later, group, member));
    const member: Member = new Member(
      { memberId, instanceId, session },
      { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols },
    );
    member.isNew = false;
    member.assignment = value.assignment;
    return member;
  }

  #replayOffset(key: RecordKey & { kind: "offset" }, bytes: Uint8Array | null): void {
    const { groupId, topic, partition } = key;
    if (bytes !== null) {
      const value = readOffsetValue(bytes);
      (this.#groups.get(groupId) ?? this.#makeGroup(groupId)).offsets.set(topic, partition, value);
      return;
    }
    const group = this.#groups.get(groupId);
    group?.offsets.delete(topic, partition);
    if (group !== undefined && !group.isRecorded && group.offsets.isEmpty) {
      this.#groups.delete(groupId);
    }
  }
}

function joinProblem(command: JoinCommand, config: GroupConfig): ErrorCode | undefined {
  const { groupId, sessionTimeoutMs } = command;
  if (groupId === "" || !textsFit([groupId])) return "INVALID_GROUP_ID";
  if (sessionTimeoutMs < config.sessionMsMin || sessionTimeoutMs > config.sessionMsMax) {
    return "INVALID_SESSION_TIMEOUT";
  }
  const { instanceId, newMemberId, clientId, clientHost, protocolType, protocols } = command;
  const names = protocols.map(({ name }) => name);
  const texts = [instanceId, newMemberId, clientId, clientHost, protocolType, ...names];
  return textsFit(texts) ? undefined : "INVALID_REQUEST";
}

/**
 * A member whose client did not wait. One that was never told its id cannot come back as this
 * member, and would keep the others waiting; any other has its session to come back in.
 */
function abandon(work: Work, group: Group, member: Member): void {
  if (member.isNew && !member.knowsItsId && !member.isStatic) {
    removeAndRebalance(work, group, member);
    return;
  }
  renewSession(work, member);
}
