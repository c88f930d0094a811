/** Below the high watermark that both know, two replicas hold the same records. */
import type { Checker, Observation, ObservedRecord } from "../observation.js";

type Log = Extract<Observation, { kind: "log" }>;

export function logsAgree(): Checker {
  const logs = new Map<string, Log[]>();
  return {
    name: "logs agree",
    observe(observation: Observation): string | undefined {
      if (observation.kind !== "log") return undefined;
      const others = logs.get(observation.partition) ?? [];
      logs.set(observation.partition, [...others, observation]);
      for (const other of others) {
        const problem = difference(other, observation);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    finish: () => [],
  };
}

function difference(one: Log, other: Log): string | undefined {
  const from = Math.max(one.logStartOffset, other.logStartOffset);
  const to = Math.min(one.highWatermark, other.highWatermark);
  const byOffset = new Map(one.records.map((record) => [record.offset, record]));
  const otherByOffset = new Map(other.records.map((record) => [record.offset, record]));
  for (let offset = from; offset < to; offset++) {
    const record = byOffset.get(offset);
    const otherRecord = otherByOffset.get(offset);
    if (record?.payload === otherRecord?.payload && record?.epoch === otherRecord?.epoch) continue;
    const place = `offset ${offset} of ${one.partition}`;
    return `${place} is ${describe(record)} at ${one.node} and ${describe(otherRecord)} at ${other.node}`;
  }
  return undefined;
}

function describe(record: ObservedRecord | undefined): string {
  return record === undefined ? "missing" : `"${record.payload}" of epoch ${record.epoch}`;
}
