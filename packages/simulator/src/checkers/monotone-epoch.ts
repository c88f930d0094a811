/** A node never begins to lead a partition in an epoch below one in which it led before. */
import type { Checker, Observation } from "../observation.js";

export function monotoneEpoch(): Checker {
  const epochs = new Map<string, number>();
  return {
    name: "monotone epoch",
    observe(observation: Observation): string | undefined {
      if (observation.kind !== "leader-elected") return undefined;
      const { node, partition, epoch } = observation;
      const key = `${node} ${partition}`;
      const before = epochs.get(key);
      epochs.set(key, Math.max(epoch, before ?? epoch));
      if (before === undefined || epoch >= before) return undefined;
      return `${node} leads ${partition} in epoch ${epoch} after it led in epoch ${before}`;
    },
    finish: () => [],
  };
}
