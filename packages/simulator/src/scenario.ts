/** A kind of cluster and what is done to it, from a seed to its findings. */
import type { Finding } from "./finding.js";
import type { LogLine } from "./sim-logger.js";
import type { World } from "./world.js";

export interface ScenarioOptions {
  readonly seed: number;
  readonly onLog?: (line: LogLine) => void;
  /** Told of each fault, and of the plan that they follow. */
  readonly onFault?: (atMs: number, what: string) => void;
  /** Makes Date, Math.random and timers throw in node code. Not inside a test runner. */
  readonly forbidsRealWorld?: boolean;
}

export interface SeedResult {
  readonly seed: number;
  readonly findings: readonly Finding[];
  readonly traceHash: string;
  readonly eventCount: number;
  readonly virtualMs: number;
  /** What was exercised, by name; summed up over seeds. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Scenario {
  readonly name: string;
  run(options: ScenarioOptions): Promise<SeedResult>;
}

export function seedResult(world: World, counts: Readonly<Record<string, number>>): SeedResult {
  return {
    seed: world.seed,
    findings: world.findings(),
    traceHash: world.traceHash,
    eventCount: world.eventCount,
    virtualMs: world.nowMs,
    counts,
  };
}
