/** JoinGroup: who may be in the next generation, and whether there has to be one. */
import { unreachable } from "@strandline/model";
import { type Group, metadataBytesOf } from "../group.js";
import type { JoinCommand } from "../group-command.js";
import type { Ticket } from "../group-step.js";
import { Member, type MemberTerms } from "../member.js";
import { GROUP_BYTES_MAX } from "../step-limits.js";
import type { Work } from "../work.js";
import { endJoin, endSync, joinAnswer, joinRefusal, syncRefusal } from "./answers.js";
import {
  beginRebalance,
  completeIfJoined,
  rebalanceOrComplete,
  record,
  removeAndRebalance,
  renewSession,
} from "./rebalance.js";

/**
 * How long a member is kept that waits to join for the first time. Its client does not know its
 * id yet and sends no heartbeats; one that went away has asked again as another member.
 */
const NEW_MEMBER_JOIN_MS = 300_000;

export interface JoinRequest {
  readonly command: JoinCommand;
  readonly ticket: Ticket;
}

export function join(work: Work, group: Group, request: JoinRequest): void {
  const { command, ticket } = request;
  const { memberId } = command;
  if (!hasRoom(work, group, memberId) || !hasRoomForWords(group, command)) {
    group.dropPending(memberId);
    work.reply(ticket, joinRefusal("GROUP_MAX_SIZE_REACHED", ""));
  } else if (!group.admits(command.protocolType, command.protocols)) {
    work.reply(ticket, joinRefusal("INCONSISTENT_GROUP_PROTOCOL", memberId));
  } else if (memberId === "") {
    joinWithoutId(work, group, request);
  } else {
    joinWithId(work, group, request);
  }
}

/** Counts those who have joined while a rebalance goes on: the others may not come back. */
function hasRoom(work: Work, group: Group, memberId: string): boolean {
  const { groupMembersMax } = work.config;
  const member = group.members.get(memberId);
  switch (group.state) {
    case "PreparingRebalance":
      return member?.joinTicket !== undefined || group.joiningCount < groupMembersMax;
    case "CompletingRebalance":
    case "Stable":
      return member !== undefined || group.members.size < groupMembersMax;
    case "Empty":
    case "Dead":
      return true;
    default:
      return unreachable(group.state);
  }
}

/** What all members say together has to fit into one record. */
function hasRoomForWords(group: Group, { memberId, protocols }: JoinCommand): boolean {
  const before = metadataBytesOf(group.members.get(memberId)?.terms.protocols ?? []);
  return group.metadataBytes - before + metadataBytesOf(protocols) <= GROUP_BYTES_MAX;
}

function joinWithoutId(work: Work, group: Group, request: JoinRequest): void {
  const { command, ticket } = request;
  const { instanceId, newMemberId } = command;
  const formerId = instanceId === undefined ? undefined : group.staticMemberId(instanceId);
  const former = formerId === undefined ? undefined : group.members.get(formerId);
  if (former !== undefined) {
    replaceStatic(work, group, former, request);
  } else if (instanceId === undefined && command.requiresKnownMemberId) {
    expectPending(work, group, command);
    work.reply(ticket, joinRefusal("MEMBER_ID_REQUIRED", newMemberId));
  } else {
    addAndRebalance(work, group, request, newMemberId);
  }
}

/** Its id is given out; if it is not used within the session, nobody waits for it any more. */
function expectPending(work: Work, group: Group, command: JoinCommand): void {
  const { newMemberId, sessionTimeoutMs } = command;
  const deadline = work.deadlines.make((later) => {
    group.pending.delete(newMemberId);
    completeIfJoined(later, group);
  });
  group.pending.set(newMemberId, deadline);
  deadline.set(work.now.monotonicMs + sessionTimeoutMs);
}

function joinWithId(work: Work, group: Group, request: JoinRequest): void {
  const { command, ticket } = request;
  const { memberId, instanceId } = command;
  if (group.pending.has(memberId) && instanceId === undefined) {
    const member = addAndRebalance(work, group, request, memberId);
    member.knowsItsId = true;
    return;
  }
  const problem = group.memberProblem(memberId, instanceId);
  const member = group.members.get(memberId);
  if (problem !== undefined || member === undefined) {
    work.reply(ticket, joinRefusal(problem ?? "UNKNOWN_MEMBER_ID", memberId));
    return;
  }
  if (isNothingNew(group, member, command)) {
    // Most likely the first answer was lost. A heartbeat could not have been clearer.
    renewSession(work, member);
    work.reply(ticket, joinAnswer(group, member));
    return;
  }
  wait(work, group, member, request);
  rebalanceOrComplete(work, group);
}

/** True when the member is in the generation already, and its coming changes nothing. */
function isNothingNew(group: Group, member: Member, command: JoinCommand): boolean {
  if (!member.hasProtocols(command.protocols)) return false;
  // A leader that joins again wants to assign anew: its topics may have other partitions now.
  if (group.state === "Stable") return group.leaderId !== member.memberId;
  return group.state === "CompletingRebalance";
}

function addAndRebalance(work: Work, group: Group, request: JoinRequest, memberId: string): Member {
  const { command } = request;
  const member = makeMember(work, group, memberId, command);
  if (group.isInitialRebalance) group.hasNewcomers = true;
  group.add(member, command.protocolType);
  wait(work, group, member, request);
  rebalanceOrComplete(work, group);
  return member;
}

function makeMember(work: Work, group: Group, memberId: string, command: JoinCommand): Member {
  const { instanceId } = command;
  const session = work.deadlines.make((later) => sessionEnded(later, group, member));
  const member: Member = new Member({ memberId, instanceId, session }, termsOf(command));
  return member;
}

function termsOf(command: JoinCommand): MemberTerms {
  const { clientId, clientHost, sessionTimeoutMs } = command;
  // Bytes of our own: those of the command may be a small view of a large frame. Not by `slice`,
  // which some kinds of bytes take to mean another view.
  const protocols = command.protocols.map(({ name, metadata }) => ({
    name,
    metadata: new Uint8Array(metadata),
  }));
  const rebalanceTimeoutMs = command.rebalanceTimeoutMs ?? sessionTimeoutMs;
  return { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols };
}

/** Parks the request; one that waited before is from a connection that was given up. */
function wait(work: Work, group: Group, member: Member, request: JoinRequest): void {
  const { command, ticket } = request;
  member.terms = termsOf(command);
  endJoin(work, member, joinRefusal("REBALANCE_IN_PROGRESS", member.memberId));
  member.joinTicket = ticket;
  work.park(ticket, group, member);
  if (member.isNew) member.session.set(work.now.monotonicMs + NEW_MEMBER_JOIN_MS);
}

/** The member was silent for too long. */
export function sessionEnded(work: Work, group: Group, member: Member): void {
  const isWaiting = member.joinTicket !== undefined || member.syncTicket !== undefined;
  // Who waits for us cannot send heartbeats; its session goes on when it has its answer.
  if (isWaiting && !member.isNew) return;
  removeAndRebalance(work, group, member);
}

/**
 * A static member is back from a restart, under a new id. The former is fenced. If nothing else
 * has changed the generation goes on: a restart does not disturb the others.
 */
function replaceStatic(work: Work, group: Group, former: Member, request: JoinRequest): void {
  const { command, ticket } = request;
  const formerLeaderId = group.leaderId ?? "";
  endJoin(work, former, joinRefusal("FENCED_INSTANCE_ID", former.memberId));
  endSync(work, former, syncRefusal("FENCED_INSTANCE_ID"));
  const member = makeMember(work, group, command.newMemberId, command);
  // Should it go away while it waits, it comes back under its instance id: no ghost is left.
  member.isNew = false;
  member.knowsItsId = true;
  member.assignment = former.assignment;
  const wasUnsynced = group.unsynced.has(former.memberId);
  group.replace(former, member);
  if (wasUnsynced) group.unsynced.add(member.memberId);
  if (group.state === "Stable" && group.protocolName === group.chooseProtocol()) {
    renewSession(work, member);
    group.readSubscriptions();
    record(work, group);
    const answer = joinAnswer(group, member);
    const isLeader = group.leaderId === member.memberId;
    if (command.supportsSkippingAssignment) {
      work.reply(ticket, { ...answer, skipAssignment: isLeader });
    } else {
      // It must not take itself for the leader, or it would assign: so it is told of the former.
      work.reply(ticket, { ...answer, leaderId: formerLeaderId, members: [] });
    }
    return;
  }
  wait(work, group, member, request);
  renewSession(work, member);
  // The leader may have been told of the former already, and would assign to it.
  if (group.state === "CompletingRebalance") beginRebalance(work, group);
  else rebalanceOrComplete(work, group);
}
