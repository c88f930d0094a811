/**
 * What was acknowledged, or given to a consumer, is committed: nothing else is ever seen at its
 * offset, and at the end it is in the leader's log, below the high watermark; or, in a compacted
 * topic, a later record of its key is.
 */
import type { Checker, Observation } from "../observation.js";
import { type KeyOf, lastOffsets } from "./superseded.js";

type Log = Extract<Observation, { kind: "log" }>;

/** What one offset was seen to hold. */
interface Seen {
  readonly payload: string;
  readonly by: string;
}

/** `keyOf`: the key of a record in a compacted topic, by its payload. */
export function committedData(keyOf?: KeyOf): Checker {
  const partitions = new Map<string, Map<number, Seen>>();
  const leaderLogs = new Map<string, Log>();
  const note = (partition: string, offset: number, seen: Seen): string | undefined => {
    let offsets = partitions.get(partition);
    if (offsets === undefined) {
      offsets = new Map();
      partitions.set(partition, offsets);
    }
    const before = offsets.get(offset);
    if (before === undefined) {
      offsets.set(offset, seen);
      return undefined;
    }
    if (before.payload === seen.payload) return undefined;
    const [one, other] = [before, seen].map(({ payload, by }) => `"${payload}" by ${by}`);
    return `offset ${offset} of ${partition} was ${one} and then ${other}`;
  };
  return {
    name: "committed data",
    observe(observation: Observation): string | undefined {
      if (observation.kind === "log" && observation.isLeader) {
        leaderLogs.set(observation.partition, observation);
      }
      if (observation.kind !== "acknowledged" && observation.kind !== "consumed") return undefined;
      const { partition, offset, payload } = observation;
      const by = observation.kind === "consumed" ? observation.consumer : "acknowledgement";
      return note(partition, offset, { payload, by });
    },
    finish(): readonly string[] {
      const problems: string[] = [];
      for (const [partition, offsets] of partitions) {
        const log = leaderLogs.get(partition);
        if (log === undefined) problems.push(`nobody leads ${partition} at the end`);
        else problems.push(...lostOf(log, offsets, keyOf));
      }
      return problems;
    },
  };
}

/** Names the first loss of each kind: one is enough to look into. */
function lostOf(log: Log, offsets: ReadonlyMap<number, Seen>, keyOf?: KeyOf): string[] {
  const last = lastOffsets(log.records, keyOf);
  const records = new Map(log.records.map((record) => [record.offset, record.payload]));
  for (const [offset, seen] of [...offsets].sort(([one], [other]) => one - other)) {
    if (offset < log.logStartOffset) continue;
    const what = `"${seen.payload}" at offset ${offset} of ${log.partition}, seen by ${seen.by},`;
    const payload = records.get(offset);
    const isDropped = payload === undefined && last.isSuperseded({ offset, payload: seen.payload });
    if (isDropped) continue;
    if (payload === undefined) return [`${what} is not in the log of its leader ${log.node}`];
    if (payload !== seen.payload) return [`${what} is "${payload}" at its leader ${log.node}`];
    if (offset >= log.highWatermark) {
      return [`${what} is not below the high watermark ${log.highWatermark} of ${log.node}`];
    }
  }
  return [];
}
