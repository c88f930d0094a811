/**
 * Below the high watermark that both know, two replicas hold the same records; of a compacted
 * topic, all but those that a later record of the same key has superseded.
 */
import type { Checker, Observation, ObservedRecord } from "../observation.js";
import { type KeyOf, lastOffsets } from "./superseded.js";

type Log = Extract<Observation, { kind: "log" }>;

/** `keyOf`: the key of a record in a compacted topic, by its payload. */
export function logsAgree(keyOf?: KeyOf): Checker {
  const logs = new Map<string, Log[]>();
  return {
    name: "logs agree",
    observe(observation: Observation): string | undefined {
      if (observation.kind !== "log") return undefined;
      const others = logs.get(observation.partition) ?? [];
      logs.set(observation.partition, [...others, observation]);
      for (const other of others) {
        const problem = difference(other, observation, keyOf);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    finish: () => [],
  };
}

function difference(one: Log, other: Log, keyOf: KeyOf | undefined): string | undefined {
  const from = Math.max(one.logStartOffset, other.logStartOffset);
  const to = Math.min(one.highWatermark, other.highWatermark);
  const byOffset = new Map(one.records.map((record) => [record.offset, record]));
  const otherByOffset = new Map(other.records.map((record) => [record.offset, record]));
  const last = lastOffsets(one.records, keyOf);
  const otherLast = lastOffsets(other.records, keyOf);
  for (let offset = from; offset < to; offset++) {
    const record = byOffset.get(offset);
    const otherRecord = otherByOffset.get(offset);
    if (record?.payload === otherRecord?.payload && record?.epoch === otherRecord?.epoch) continue;
    if (otherRecord === undefined && record !== undefined && otherLast.isSuperseded(record))
      continue;
    if (record === undefined && otherRecord !== undefined && last.isSuperseded(otherRecord))
      continue;
    const place = `offset ${offset} of ${one.partition}`;
    return `${place} is ${describe(record)} at ${one.node} and ${describe(otherRecord)} at ${other.node}`;
  }
  return undefined;
}

function describe(record: ObservedRecord | undefined): string {
  return record === undefined ? "missing" : `"${record.payload}" of epoch ${record.epoch}`;
}
