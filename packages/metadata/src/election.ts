/**
 * Who leads next. Only replicas that hold every committed record are asked: the ISR first, then
 * the ELR, each in the order of the assignment. An election that may lose records is not here; it
 * happens only by name (commands/elect-leaders).
 */
import type { NodeId } from "@strandline/model";
import type { MetadataImage, Partition } from "./image.js";
import { eligibleAfter, type PartitionTarget } from "./partition-rules.js";

/** usable: may lead. stopping: alive, but about to go. absent: fenced or unknown. */
export type Standing = "usable" | "stopping" | "absent";

export type StandingOf = (id: NodeId) => Standing;

/** How each node stands in an image, where `id` stands differently once the records are replayed. */
export function standingIn(
  image: MetadataImage,
  except?: { readonly id: NodeId; readonly standing: Standing },
): StandingOf {
  const standings = new Map<NodeId, Standing>();
  for (const node of image.nodes.values()) {
    standings.set(node.id, node.isFenced ? "absent" : node.isStopping ? "stopping" : "usable");
  }
  if (except !== undefined) standings.set(except.id, except.standing);
  return (id) => standings.get(id) ?? "absent";
}

/**
 * Gives `target` a leader where it has none. A leader that is set stays. Whoever is elected out of
 * the ELR is the only one in sync at first: the others have to follow it before they count.
 */
export function withLeader(
  replicas: readonly NodeId[],
  target: PartitionTarget,
  rules: { readonly inSyncMin: number; readonly standingOf: StandingOf },
): PartitionTarget {
  if (target.leader !== -1) return target;
  const leader = cleanCandidate(replicas, target, rules.standingOf);
  if (leader === -1) return target;
  if (target.isr.includes(leader)) return { ...target, leader };
  const isr = [leader];
  return { isr, elr: eligibleAfter({ ...target, replicas }, isr, rules.inSyncMin), leader };
}

/**
 * The first replica that may lead without loss; -1 when none is alive. A node about to stop comes
 * last, even after the ELR: its leadership would move again at once.
 */
export function cleanCandidate(
  replicas: readonly NodeId[],
  state: Pick<Partition, "isr" | "elr">,
  standingOf: StandingOf,
): NodeId | -1 {
  for (const standing of ["usable", "stopping"] as const) {
    for (const set of [state.isr, state.elr]) {
      const found = replicas.find((id) => set.includes(id) && standingOf(id) === standing);
      if (found !== undefined) return found;
    }
  }
  return -1;
}
