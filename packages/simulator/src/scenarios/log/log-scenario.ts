/**
 * The production log of one partition on a disk that forgets, tears, fills up and fails: appends,
 * reads, cuts at both ends and checkpoints, through crashes at any moment. Whatever was told to be
 * durable must be there at the next opening, and nothing must be there that was not appended.
 */
import type { FileSystem } from "@strandline/platform";
import type { LogConfig } from "@strandline/storage";
import { FaultInjector } from "../../fault-injector.js";
import { describePlan, drawFaultPlan, type FaultPlan } from "../../faults.js";
import type { SimRandom } from "../../random.js";
import {
  type Scenario,
  type ScenarioOptions,
  type SeedResult,
  seedResult,
} from "../../scenario.js";
import { World } from "../../world.js";
import { LogModel } from "./log-model.js";
import { LogProcess } from "./log-process.js";

const NODE = "log";
const FAULTS_MS = 30_000;
const RECOVERY_MS_MAX = 60_000;
/** Power cuts on a healthy disk at the end, each followed by a look at everything. */
const LAST_CUTS = 3;

export interface LogScenarioOptions {
  /** Takes the place of the plan that the seed drew, for a test of one kind of fault. */
  readonly plan?: FaultPlan;
  /** A mistake planted between the log and its disk, for a test of what is found. */
  readonly sabotage?: (fileSystem: FileSystem) => FileSystem;
}

export function logScenario(settings: LogScenarioOptions = {}): Scenario {
  return {
    name: "log",
    run: (options) => runLog(options, settings),
  };
}

async function runLog(options: ScenarioOptions, settings: LogScenarioOptions): Promise<SeedResult> {
  const world = new World({ ...options, restartAfterExitMs: 1_000 });
  const random = world.random("log");
  const drawn = drawFaultPlan(world.random("faults"), { hasDiskErrors: true });
  const plan = settings.plan ?? drawn;
  options.onFault?.(0, describePlan(plan));
  const model = new LogModel();
  const processOptions = {
    model,
    config: drawConfig(random.fork("config")),
    random: random.fork("work"),
    recordBytesMax: random.magnitude(1, 4_000),
    report: (problem: string) => world.report(problem, "log"),
  };
  world.startNode(NODE, (ports) => {
    const fileSystem = settings.sabotage?.(ports.fileSystem) ?? ports.fileSystem;
    return LogProcess.open({ ...ports, fileSystem }, processOptions);
  });
  const injector = new FaultInjector(world, plan, { servers: [NODE], clients: [] });
  injector.start();
  await world.run({ untilMs: FAULTS_MS });
  injector.heal();
  for (let cut = 0; cut < LAST_CUTS; cut++) await recover(world, model);
  return seedResult(world, { batches: model.appendedCount });
}

/** The log works again, and goes on working after one more power cut. */
async function recover(world: World, model: LogModel): Promise<void> {
  if (world.findings().length > 0) return;
  const wanted = model.appendedCount + 20;
  const isWorking = (): boolean => model.appendedCount >= wanted;
  const hasRecovered = await world.runUntil(isWorking, { withinMs: RECOVERY_MS_MAX });
  if (!hasRecovered && world.findings().length === 0) {
    world.report(`nothing is appended ${RECOVERY_MS_MAX} ms after all faults`, "recovery");
  }
  world.crash(NODE);
  world.restart(NODE);
  await world.runUntil(() => world.stateOf(NODE) === "running", { withinMs: RECOVERY_MS_MAX });
}

function drawConfig(random: SimRandom): LogConfig {
  return {
    segmentBytesMax: random.magnitude(512, 1_000_000),
    segmentMs: random.magnitude(1_000, 1_000_000),
    indexIntervalBytes: random.magnitude(64, 8_192),
    retentionMs: -1,
    retentionBytes: -1,
    fileDeleteDelayMs: random.magnitude(1, 60_000),
    isSynced: true,
    tailBytesMax: random.magnitude(1, 100_000),
  };
}
