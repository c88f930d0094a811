/**
 * How a partition gets from one assignment to another. The replicas that come are added at once,
 * and catch up like any other; those that go stay until everybody who comes is in sync. So at every
 * moment the ISR is one that was in force, and whoever is in it holds what is committed.
 */
import type { NodeId } from "@strandline/model";
import { sameIds } from "./delta.js";
import { cleanCandidate, type StandingOf } from "./election.js";
import { isReassigned, originalReplicas, type Partition, targetReplicas } from "./image.js";
import { type AssignmentTarget, eligibleAfter } from "./partition-rules.js";

export interface ReassignmentRules {
  /** `min.insync.replicas` as configured. */
  readonly configuredMin: number;
  readonly standingOf: StandingOf;
}

/**
 * The partition on its way to `replicas`; there already when nobody has to be waited for. "same"
 * when that is its assignment and nothing is under way, "unclean" when nobody who holds the
 * committed records would be left.
 */
export function towards(
  before: Partition,
  replicas: readonly NodeId[],
  rules: ReassignmentRules,
): AssignmentTarget | "same" | "unclean" {
  const original = originalReplicas(before);
  const removing = original.filter((id) => !replicas.includes(id));
  const next = {
    replicas: [...replicas, ...removing],
    adding: replicas.filter((id) => !original.includes(id)),
    removing,
  };
  if (
    sameIds(next.replicas, before.replicas) &&
    sameIds(next.adding, before.adding) &&
    sameIds(next.removing, before.removing)
  ) {
    return "same";
  }
  const target = among(before, next, rules);
  if (target === "unclean") return target;
  return completed({ ...before, ...target }, rules) ?? target;
}

/** The partition without the reassignment under way. */
export function reverted(
  before: Partition,
  rules: ReassignmentRules,
): AssignmentTarget | "unclean" {
  const replicas = originalReplicas(before);
  return among(before, { replicas, adding: [], removing: [] }, rules);
}

/**
 * The partition at the end of its reassignment; undefined while that is not reached: all who come
 * are in sync, and enough of those who stay that nothing has to wait for want of replicas.
 */
export function completed(
  before: Partition,
  rules: ReassignmentRules,
): AssignmentTarget | undefined {
  if (!isReassigned(before)) return undefined;
  const replicas = targetReplicas(before);
  const isr = replicas.filter((id) => before.isr.includes(id));
  if (before.adding.some((id) => !isr.includes(id))) return undefined;
  if (isr.length < Math.min(rules.configuredMin, replicas.length)) return undefined;
  const target = among(before, { replicas, adding: [], removing: [] }, rules);
  return target === "unclean" ? undefined : target;
}

type Assignment = Pick<AssignmentTarget, "replicas" | "adding" | "removing">;

/** The state once the replicas are those: whoever is none any more is not in sync either. */
function among(
  before: Partition,
  next: Assignment,
  rules: ReassignmentRules,
): AssignmentTarget | "unclean" {
  const { replicas } = next;
  const isr = replicas.filter((id) => before.isr.includes(id));
  const elr = replicas.filter((id) => before.elr.includes(id));
  if (before.isr.length > 0 && isr.length === 0) return "unclean";
  if (before.elr.length > 0 && isr.length === 0 && elr.length === 0) return "unclean";
  const stays = before.leader !== -1 && replicas.includes(before.leader);
  const leader = stays
    ? before.leader
    : cleanCandidate(replicas, { isr, elr: [] }, rules.standingOf);
  const inSyncMin = Math.min(rules.configuredMin, replicas.length - next.adding.length);
  const eligible = eligibleAfter({ replicas, isr: before.isr, elr: before.elr }, isr, inSyncMin);
  return { ...next, isr, elr: eligible, leader };
}
