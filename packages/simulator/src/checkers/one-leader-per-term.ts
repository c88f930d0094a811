/** A raft term has one leader. */
import type { Checker, Observation } from "../observation.js";

export function oneLeaderPerTerm(): Checker {
  const leaders = new Map<string, string>();
  return {
    name: "one leader per term",
    observe(observation: Observation): string | undefined {
      if (observation.kind !== "raft-leader") return undefined;
      const { node, group, term } = observation;
      const key = `${group}@${term}`;
      const leader = leaders.get(key) ?? node;
      leaders.set(key, leader);
      if (leader === node) return undefined;
      return `${leader} and ${node} both lead ${group} in term ${term}`;
    },
    finish: () => [],
  };
}
