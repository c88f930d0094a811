/** One epoch of a partition has one leader: one process, not only one node. */
import type { Checker, Observation } from "../observation.js";

export function oneLeaderPerEpoch(): Checker {
  const leaders = new Map<string, { node: string; generation: number }>();
  return {
    name: "one leader per epoch",
    observe(observation: Observation): string | undefined {
      if (observation.kind !== "leader-elected") return undefined;
      const { node, generation, partition, epoch } = observation;
      const key = `${partition}@${epoch}`;
      const leader = leaders.get(key);
      if (leader === undefined) {
        leaders.set(key, { node, generation });
        return undefined;
      }
      if (leader.node !== node) {
        return `${leader.node} and ${node} both lead ${partition} in epoch ${epoch}`;
      }
      // A process that lost its un-synced tail would write other records at the same offsets.
      if (leader.generation !== generation) {
        return `${node} restarted and leads ${partition} in its old epoch ${epoch}`;
      }
      return undefined;
    },
    finish: () => [],
  };
}
