/**
 * From one generation to the next: members are asked to join again, and when they have, or have
 * had their time, the generation begins and waits for the leader to assign.
 */
import type { Group } from "../group.js";
import type { Member } from "../member.js";
import { writeGroupValue } from "../records/group-value.js";
import { groupKey } from "../records/record-key.js";
import type { Work } from "../work.js";
import { endJoin, endSync, joinAnswer, joinRefusal, syncRefusal } from "./answers.js";

/**
 * How long the first generation waits for members that were just told their ids. They are a round
 * trip away: without them the second generation would follow the first at once.
 */
const PENDING_MS = 500;

/** Puts what the group is now into the offsets topic. */
export function record(work: Work, group: Group): void {
  work.write(groupKey(group.groupId), writeGroupValue(group.toValue()));
  group.isRecorded = true;
}

/** The member is alive: it may be silent for its session timeout from now on. */
export function renewSession(work: Work, member: Member): void {
  member.session.set(work.now.monotonicMs + member.terms.sessionTimeoutMs);
}

/** Something has changed: a new rebalance begins, or the one that goes on may be over. */
export function rebalanceOrComplete(work: Work, group: Group): void {
  if (group.canRebalance) beginRebalance(work, group);
  else completeIfJoined(work, group);
}

export function beginRebalance(work: Work, group: Group): void {
  if (group.state === "CompletingRebalance") withdrawAssignment(work, group);
  group.deadlines.sync.cancel();
  group.unsynced.clear();
  group.enter("PreparingRebalance", work.now.wallMs);
  if (group.isInitialRebalance) beginInitialDelay(work, group);
  else if (group.haveAllJoined) completeJoin(work, group);
  else waitForMembers(work, group);
}

/** Ends the join phase if nobody is missing. An empty group waits for its delay all the same. */
export function completeIfJoined(work: Work, group: Group): void {
  if (group.state !== "PreparingRebalance") return;
  if (group.isInitialRebalance && !group.initialDelay.isForPending) return;
  if (group.haveAllJoined) completeJoin(work, group);
}

/** The deadline for joining has come. */
export function joinDeadlinePassed(work: Work, group: Group): void {
  if (group.state !== "PreparingRebalance") return;
  if (!group.isInitialRebalance || !extendInitialDelay(work, group)) completeJoin(work, group);
}

/** The deadline for fetching the assignment has come: who has not is taken for gone. */
export function syncDeadlinePassed(work: Work, group: Group): void {
  if (group.state !== "CompletingRebalance" && group.state !== "Stable") return;
  if (group.unsynced.size === 0) return;
  for (const memberId of [...group.unsynced]) {
    const member = group.members.get(memberId);
    if (member !== undefined) remove(work, group, member);
  }
  beginRebalance(work, group);
}

/** The member has fetched its assignment, or waits for it. */
export function hasSynced(group: Group, member: Member): void {
  group.unsynced.delete(member.memberId);
  if (group.unsynced.size === 0) group.deadlines.sync.cancel();
}

/** Takes a member out and lets the group react. */
export function removeAndRebalance(work: Work, group: Group, member: Member): void {
  remove(work, group, member);
  rebalanceOrComplete(work, group);
}

/** Takes a member out. Whatever request of it waits is told that the member is unknown now. */
export function remove(work: Work, group: Group, member: Member): void {
  endJoin(work, member, joinRefusal("UNKNOWN_MEMBER_ID", ""));
  endSync(work, member, syncRefusal("UNKNOWN_MEMBER_ID"));
  group.remove(member);
}

/** Those who wait for an assignment of a generation that ends before it had one. */
function withdrawAssignment(work: Work, group: Group): void {
  for (const member of group.members.values()) {
    member.assignment = new Uint8Array(0);
    if (member.syncTicket === undefined) continue;
    endSync(work, member, syncRefusal("REBALANCE_IN_PROGRESS"));
    renewSession(work, member);
  }
}

/** Consumers start one by one: waiting a little spares a rebalance for each of them. */
function beginInitialDelay(work: Work, group: Group): void {
  group.hasNewcomers = false;
  const delayMs = work.config.initialRebalanceDelayMs;
  group.initialDelay = {
    spentMs: delayMs,
    remainingMs: Math.max(group.rebalanceTimeoutMs - delayMs, 0),
    isForPending: false,
  };
  group.deadlines.join.set(work.now.monotonicMs + delayMs);
}

/** Waits on if somebody came, or is about to; returns whether it does. */
function extendInitialDelay(work: Work, group: Group): boolean {
  const { spentMs, remainingMs, isForPending } = group.initialDelay;
  if (isForPending) return false;
  if (group.hasNewcomers && remainingMs > 0) {
    group.hasNewcomers = false;
    const delayMs = Math.min(work.config.initialRebalanceDelayMs, remainingMs);
    const leftMs = Math.max(remainingMs - spentMs, 0);
    group.initialDelay = { spentMs: delayMs, remainingMs: leftMs, isForPending: false };
    group.deadlines.join.set(work.now.monotonicMs + delayMs);
    return true;
  }
  if (group.pending.size === 0) return false;
  group.initialDelay = { spentMs, remainingMs, isForPending: true };
  group.deadlines.join.set(work.now.monotonicMs + PENDING_MS);
  return true;
}

function waitForMembers(work: Work, group: Group): void {
  group.deadlines.join.set(work.now.monotonicMs + group.rebalanceTimeoutMs);
}

/** Begins the next generation with those who have joined. */
function completeJoin(work: Work, group: Group): void {
  group.deadlines.join.cancel();
  for (const member of [...group.members.values()]) {
    // A static member keeps its place until its session ends.
    if (member.joinTicket === undefined && !member.isStatic) remove(work, group, member);
  }
  if (group.members.size > 0 && !group.electJoined()) {
    // Only static members are left, and all of them away: nobody could lead.
    waitForMembers(work, group);
    return;
  }
  group.generation += 1;
  group.unsynced.clear();
  if (group.members.size === 0) beginEmpty(work, group);
  else beginGeneration(work, group);
}

function beginEmpty(work: Work, group: Group): void {
  group.protocolName = undefined;
  group.readSubscriptions();
  group.enter("Empty", work.now.wallMs);
  record(work, group);
}

function beginGeneration(work: Work, group: Group): void {
  group.protocolName = group.chooseProtocol();
  group.readSubscriptions();
  group.enter("CompletingRebalance", work.now.wallMs);
  for (const member of group.members.values()) {
    member.isNew = false;
    endJoin(work, member, joinAnswer(group, member));
    renewSession(work, member);
    group.unsynced.add(member.memberId);
  }
  group.deadlines.sync.set(work.now.monotonicMs + group.rebalanceTimeoutMs);
}
