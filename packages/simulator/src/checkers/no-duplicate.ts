/** A record of an idempotent producer is in a log once, and is acknowledged at one offset. */
import type { Checker, Observation } from "../observation.js";

/** `isIdempotent` tells payloads that may not come twice from others. */
export function noDuplicate(isIdempotent: (payload: string) => boolean = () => true): Checker {
  const acknowledged = new Map<string, number>();
  const acknowledgedTwice = (partition: string, offset: number, payload: string) => {
    const key = `${partition} ${payload}`;
    const before = acknowledged.get(key) ?? offset;
    acknowledged.set(key, before);
    if (before === offset) return undefined;
    return `"${payload}" was acknowledged at offsets ${before} and ${offset} of ${partition}`;
  };
  return {
    name: "no duplicate",
    observe(observation: Observation): string | undefined {
      if (observation.kind === "acknowledged" && isIdempotent(observation.payload)) {
        const { partition, offset, payload } = observation;
        return acknowledgedTwice(partition, offset, payload);
      }
      if (observation.kind !== "log") return undefined;
      const { node, partition, records } = observation;
      const offsets = new Map<string, number>();
      for (const { offset, payload } of records) {
        if (!isIdempotent(payload)) continue;
        const before = offsets.get(payload);
        if (before !== undefined) {
          return `"${payload}" is at offsets ${before} and ${offset} of ${partition} at ${node}`;
        }
        offsets.set(payload, offset);
      }
      return undefined;
    },
    finish: () => [],
  };
}
