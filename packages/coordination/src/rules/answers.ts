/** The answers that more than one rule gives. */
import type { ErrorCode } from "@strandline/model";
import type { Group } from "../group.js";
import type { JoinedMember, JoinResponse, SyncResponse } from "../group-response.js";
import type { Member } from "../member.js";
import type { Work } from "../work.js";

const NOTHING = new Uint8Array(0);

export function joinRefusal(error: ErrorCode, memberId: string): JoinResponse {
  return {
    kind: "join",
    error,
    memberId,
    generation: -1,
    protocolType: undefined,
    protocolName: undefined,
    leaderId: "",
    skipAssignment: false,
    members: [],
  };
}

/** What a member is told of the generation that the group is in. */
export function joinAnswer(group: Group, member: Member): JoinResponse {
  const isLeader = group.leaderId === member.memberId;
  return {
    kind: "join",
    error: undefined,
    memberId: member.memberId,
    generation: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leaderId: group.leaderId ?? "",
    skipAssignment: false,
    members: isLeader ? joinedMembers(group) : [],
  };
}

/** What the leader's assignor goes by. */
function joinedMembers(group: Group): JoinedMember[] {
  const protocolName = group.protocolName ?? "";
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    metadata: member.metadataOf(protocolName),
  }));
}

export function syncRefusal(error: ErrorCode): SyncResponse {
  return {
    kind: "sync",
    error,
    protocolType: undefined,
    protocolName: undefined,
    assignment: NOTHING,
  };
}

export function syncAnswer(group: Group, member: Member): SyncResponse {
  return {
    kind: "sync",
    error: undefined,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment: member.assignment,
  };
}

/** Answers the join that waits, if one does. */
export function endJoin(work: Work, member: Member, response: JoinResponse): void {
  const ticket = member.joinTicket;
  member.joinTicket = undefined;
  if (ticket !== undefined) work.reply(ticket, response);
}

/** Answers the sync that waits, if one does. */
export function endSync(work: Work, member: Member, response: SyncResponse): void {
  const ticket = member.syncTicket;
  member.syncTicket = undefined;
  if (ticket !== undefined) work.reply(ticket, response);
}
