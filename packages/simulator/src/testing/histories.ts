/** Observations for the tests of checkers, short enough to write a history of them. */
import type { Checker, Observation, ObservedRecord } from "../observation.js";

const PARTITION = "t-0";

export function elected(node: string, epoch: number, generation = 1): Observation {
  return { kind: "leader-elected", node, generation, partition: PARTITION, epoch };
}

export function watermark(node: string, highWatermark: number, generation = 1): Observation {
  return { kind: "high-watermark", node, generation, partition: PARTITION, highWatermark };
}

export function acknowledged(offset: number, payload: string): Observation {
  return { kind: "acknowledged", partition: PARTITION, offset, payload };
}

export function consumed(offset: number, payload: string): Observation {
  return { kind: "consumed", consumer: "reader", partition: PARTITION, offset, payload };
}

export function raftLeader(node: string, term: number): Observation {
  return { kind: "raft-leader", node, group: "metadata", term };
}

/** A log whose records are the letters of `payloads`, from offset 0, all of epoch 1; " ": none. */
export function log(
  node: string,
  payloads: string,
  options: { isLeader?: boolean; highWatermark?: number; logStartOffset?: number } = {},
): Observation {
  const logStartOffset = options.logStartOffset ?? 0;
  const records: ObservedRecord[] = Array.from(payloads)
    .map((payload, offset) => ({ offset, epoch: 1, payload }))
    .filter(({ offset, payload }) => offset >= logStartOffset && payload !== " ");
  return {
    kind: "log",
    node,
    partition: PARTITION,
    isLeader: options.isLeader ?? false,
    logStartOffset,
    highWatermark: options.highWatermark ?? payloads.length,
    records,
  };
}

/** Everything that `checker` says of a history. */
export function problemsOf(checker: Checker, history: readonly Observation[]): string[] {
  const problems: string[] = [];
  for (const observation of history) {
    const problem = checker.observe(observation);
    if (problem !== undefined) problems.push(problem);
  }
  return [...problems, ...checker.finish()];
}
