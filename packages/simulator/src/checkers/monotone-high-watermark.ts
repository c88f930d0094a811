/**
 * Within one process the high watermark of a partition never goes back, as long as it is a replica.
 * Over a restart it may: what was learnt of it need not be durable.
 */
import type { Checker, Observation } from "../observation.js";

export function monotoneHighWatermark(): Checker {
  const highWatermarks = new Map<string, number>();
  return {
    name: "monotone high watermark",
    observe(observation: Observation): string | undefined {
      if (observation.kind !== "high-watermark" && observation.kind !== "replica-removed") {
        return undefined;
      }
      const { node, generation, partition } = observation;
      const key = `${node} ${generation} ${partition}`;
      if (observation.kind === "replica-removed") {
        highWatermarks.delete(key);
        return undefined;
      }
      const { highWatermark } = observation;
      const before = highWatermarks.get(key) ?? 0;
      highWatermarks.set(key, Math.max(before, highWatermark));
      if (highWatermark >= before) return undefined;
      return `${node} takes the high watermark of ${partition} from ${before} to ${highWatermark}`;
    },
    finish: () => [],
  };
}
