/** In one generation of a group a partition belongs to one member. */
import type { Checker, Observation } from "../observation.js";

export function oneOwner(): Checker {
  const owners = new Map<string, string>();
  return {
    name: "one owner",
    observe(observation: Observation): string | undefined {
      if (observation.kind !== "group-assigned") return undefined;
      const { group, generation, member, partitions } = observation;
      for (const partition of partitions) {
        const key = `${partition} in generation ${generation} of ${group}`;
        const owner = owners.get(key) ?? member;
        owners.set(key, owner);
        if (owner !== member) return `${key} belongs to ${owner} and to ${member}`;
      }
      return undefined;
    },
    finish: () => [],
  };
}
