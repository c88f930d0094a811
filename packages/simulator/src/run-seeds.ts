/** Runs a scenario over many seeds and tells what came of it, in words and with a way to repeat. */
import { describeFinding, type Finding } from "./finding.js";
import type { Scenario, SeedResult } from "./scenario.js";
import { formatLogLine, type LogLine } from "./sim-logger.js";

export interface RunSeedsOptions {
  readonly scenario: Scenario;
  readonly seeds: readonly number[];
  /** Prints every log line and fault as it happens. */
  readonly isVerbose: boolean;
  /** Goes on after a seed with findings. */
  readonly keepsGoing: boolean;
  /** Makes Date, Math.random and timers throw in node code. */
  readonly forbidsRealWorld: boolean;
  /** Progress and details. */
  readonly tell: (text: string) => void;
  /** Results. */
  readonly print: (text: string) => void;
  /** Real time, for the summary only. Milliseconds. */
  readonly nowMs: () => number;
}

/** What was said before a finding, at most: the last lines lead to it. */
const LINES_BEFORE_FINDING = 60;

/** Returns the seeds that had findings. */
export async function runSeeds(options: RunSeedsOptions): Promise<number[]> {
  const startMs = options.nowMs();
  const failed: number[] = [];
  const results: SeedResult[] = [];
  for (const seed of options.seeds) {
    const { result, lines } = await runSeed(options, seed);
    results.push(result);
    options.tell(progressLine(options, result));
    if (result.findings.length === 0) continue;
    failed.push(seed);
    printFindings(options, result, lines);
    if (!options.keepsGoing) break;
  }
  options.print(summary(options, results, { failed, realMs: options.nowMs() - startMs }));
  return failed;
}

/** The command that repeats one seed. */
export function replayCommand(scenario: Scenario, seed: number): string {
  return `npm run sim -- --scenario ${scenario.name} --seed ${seed} --verbose`;
}

async function runSeed(
  options: RunSeedsOptions,
  seed: number,
): Promise<{ readonly result: SeedResult; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const say = (line: string): void => {
    if (options.isVerbose) options.tell(line);
    else if (lines.push(line) > 2 * LINES_BEFORE_FINDING) lines.splice(0, LINES_BEFORE_FINDING);
  };
  const result = await options.scenario.run({
    seed,
    forbidsRealWorld: options.forbidsRealWorld,
    onLog: (line: LogLine) => {
      if (options.isVerbose || line.level !== "debug") say(formatLogLine(line));
    },
    onFault: (atMs, what) => say(`${atMs.toFixed(3).padStart(12)} ----- ${what}`),
  });
  return { result, lines };
}

function progressLine(options: RunSeedsOptions, result: SeedResult): string {
  const { seed, eventCount, virtualMs, counts, findings } = result;
  const counted = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  const end = findings.length === 0 ? "ok" : `${findings.length} findings`;
  const virtual = `${(virtualMs / 1000).toFixed(1)} s`;
  const parts = [`${eventCount} events`, virtual, ...counted, end];
  return `${options.scenario.name} seed ${seed}: ${parts.join(", ")}`;
}

function printFindings(
  options: RunSeedsOptions,
  result: SeedResult,
  lines: readonly string[],
): void {
  const [first] = result.findings;
  if (!options.isVerbose) for (const line of lines.slice(-LINES_BEFORE_FINDING)) options.tell(line);
  for (const finding of result.findings) options.print(describeFinding(finding));
  if (first !== undefined) options.print(closing(options.scenario, first));
}

function closing(scenario: Scenario, finding: Finding): string {
  return `seed ${finding.seed}; replay: ${replayCommand(scenario, finding.seed)}`;
}

function summary(
  options: RunSeedsOptions,
  results: readonly SeedResult[],
  end: { readonly failed: readonly number[]; readonly realMs: number },
): string {
  const counts = new Map<string, number>();
  let events = 0;
  let virtualMs = 0;
  for (const result of results) {
    events += result.eventCount;
    virtualMs += result.virtualMs;
    for (const [name, count] of Object.entries(result.counts)) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
  }
  const counted = [...counts].map(([name, count]) => `${name} ${count}`);
  const realSeconds = (end.realMs / 1000).toFixed(1);
  const parts = [
    `${results.length} seeds`,
    `${events} events`,
    `${(virtualMs / 1000).toFixed(0)} s virtual in ${realSeconds} s`,
    ...counted,
  ];
  const [only] = results;
  if (results.length === 1 && only !== undefined) parts.push(`trace ${only.traceHash}`);
  const verdict =
    end.failed.length === 0 ? "nothing found" : `FOUND in seeds ${end.failed.join(" ")}`;
  return `${options.scenario.name}: ${parts.join(", ")}: ${verdict}`;
}
