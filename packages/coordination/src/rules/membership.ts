/** SyncGroup, Heartbeat and LeaveGroup: a member of a generation, until it goes. */

import type { ErrorCode } from "@strandline/model";
import type { Group } from "../group.js";
import type {
  HeartbeatCommand,
  LeaveCommand,
  LeavingMember,
  SyncCommand,
} from "../group-command.js";
import type { LeftMember } from "../group-response.js";
import type { Ticket } from "../group-step.js";
import type { Member } from "../member.js";
import { GROUP_BYTES_MAX } from "../step-limits.js";
import type { Work } from "../work.js";
import { endSync, syncAnswer, syncRefusal } from "./answers.js";
import {
  beginRebalance,
  hasSynced,
  rebalanceOrComplete,
  record,
  remove,
  renewSession,
} from "./rebalance.js";

const NOTHING = new Uint8Array(0);

export interface SyncRequest {
  readonly command: SyncCommand;
  readonly ticket: Ticket;
}

export function sync(work: Work, group: Group, { command, ticket }: SyncRequest): void {
  const problem = syncProblem(group, command);
  const member = group.members.get(command.memberId);
  if (problem !== undefined || member === undefined) {
    work.reply(ticket, syncRefusal(problem ?? "UNKNOWN_MEMBER_ID"));
    return;
  }
  hasSynced(group, member);
  if (group.state === "Stable") {
    renewSession(work, member);
    work.reply(ticket, syncAnswer(group, member));
    return;
  }
  // One that waited before is from a connection that was given up.
  endSync(work, member, syncRefusal("REBALANCE_IN_PROGRESS"));
  member.syncTicket = ticket;
  work.park(ticket, group, member);
  if (group.leaderId === member.memberId) assign(work, group, command);
}

function syncProblem(group: Group, command: SyncCommand): ErrorCode | undefined {
  const { memberId, instanceId, generation, protocolType, protocolName } = command;
  const problem = group.memberProblem(memberId, instanceId);
  if (problem !== undefined) return problem;
  if (generation !== group.generation) return "ILLEGAL_GENERATION";
  const isOfType = protocolType === undefined || protocolType === group.protocolType;
  const isOfName = protocolName === undefined || protocolName === group.protocolName;
  if (!isOfType || !isOfName) return "INCONSISTENT_GROUP_PROTOCOL";
  return group.state === "PreparingRebalance" ? "REBALANCE_IN_PROGRESS" : undefined;
}

/** The leader has spoken: what it says is written down, and then told to everyone who waits. */
function assign(work: Work, group: Group, command: SyncCommand): void {
  const bytes = command.assignments.reduce((sum, { assignment }) => sum + assignment.length, 0);
  if (bytes > GROUP_BYTES_MAX) {
    refuseAssignment(work, group);
    return;
  }
  const assignments = new Map<string, Uint8Array>();
  for (const { memberId, assignment } of command.assignments) assignments.set(memberId, assignment);
  for (const member of group.members.values()) {
    member.assignment = new Uint8Array(assignments.get(member.memberId) ?? NOTHING);
  }
  group.enter("Stable", work.now.wallMs);
  record(work, group);
  for (const member of group.members.values()) {
    if (member.syncTicket === undefined) continue;
    endSync(work, member, syncAnswer(group, member));
    renewSession(work, member);
  }
}

/** It cannot be written down: all who wait hear of it, and have to begin again. */
function refuseAssignment(work: Work, group: Group): void {
  for (const member of group.members.values()) {
    if (member.syncTicket === undefined) continue;
    endSync(work, member, syncRefusal("UNKNOWN_SERVER_ERROR"));
    renewSession(work, member);
  }
  beginRebalance(work, group);
}

/** Returns what the heartbeat is answered. */
export function heartbeat(
  work: Work,
  group: Group,
  command: HeartbeatCommand,
): ErrorCode | undefined {
  const { memberId, instanceId, generation } = command;
  const problem = group.memberProblem(memberId, instanceId);
  const member = group.members.get(memberId);
  if (problem !== undefined || member === undefined) return problem ?? "UNKNOWN_MEMBER_ID";
  if (generation !== group.generation) return "ILLEGAL_GENERATION";
  renewSession(work, member);
  return group.state === "PreparingRebalance" ? "REBALANCE_IN_PROGRESS" : undefined;
}

/** Returns what the members are told, each for itself. */
export function leave(work: Work, group: Group, command: LeaveCommand): readonly LeftMember[] {
  const left = command.members.map((leaving) => ({
    ...leaving,
    error: leaveOne(work, group, leaving),
  }));
  const hasLeft = left.some(({ error }) => error === undefined);
  if (hasLeft && group.state !== "Empty") rebalanceOrComplete(work, group);
  return left;
}

function leaveOne(work: Work, group: Group, leaving: LeavingMember): ErrorCode | undefined {
  const { memberId, instanceId } = leaving;
  if (group.pending.has(memberId)) {
    group.dropPending(memberId);
    return undefined;
  }
  const member = memberToLeave(group, leaving);
  if (member === undefined) return group.memberProblem(memberId, instanceId) ?? "UNKNOWN_MEMBER_ID";
  remove(work, group, member);
  return undefined;
}

function memberToLeave(group: Group, { memberId, instanceId }: LeavingMember): Member | undefined {
  if (memberId === "") {
    // An operator knows a static member by its instance id alone.
    const staticId = instanceId === undefined ? undefined : group.staticMemberId(instanceId);
    return staticId === undefined ? undefined : group.members.get(staticId);
  }
  if (group.memberProblem(memberId, instanceId) !== undefined) return undefined;
  return group.members.get(memberId);
}
