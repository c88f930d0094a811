/**
 * What goes wrong in one run. Each seed draws which kinds of fault there are and how often and how
 * hard they strike: a run with few kinds reaches states that one with all of them never does.
 */
import type { DiskSettings, RangeUs } from "./disk/disk-settings.js";
import { DISK_DEFAULTS } from "./disk/disk-settings.js";
import {
  NETWORK_DEFAULTS,
  type NetworkSettings,
  type RangeMs,
} from "./network/network-settings.js";
import type { SimRandom } from "./random.js";

/** Strikes again and again, `everyMs` apart on average. */
export interface Recurring {
  readonly everyMs: number;
  /** How long its effect lasts. */
  readonly lastsMs: RangeMs;
}

export interface CrashFault extends Recurring {
  /** Share of crashes that hit all servers at the same moment. */
  readonly allChance: number;
  /** Share that lose what was not synced. */
  readonly powerCutChance: number;
  /** Share after which nobody resets connections. */
  readonly silentChance: number;
  /**
   * Share that strike while a sync hangs: the moment between what was said and what is durable,
   * which a crash at any time nearly always misses.
   */
  readonly atSyncChance: number;
  /** Share of ends that are orderly instead. */
  readonly orderlyChance: number;
}

export interface PartitionFault extends Recurring {
  /** Share that cut a single direction between two nodes. */
  readonly oneWayChance: number;
}

export interface SlowDiskFault extends Recurring {
  /** Operations take this many times as long. */
  readonly factorMax: number;
}

export interface ClockFault extends Recurring {
  readonly jumpMsMax: number;
}

/** Each kind is undefined where a run does without it. */
export interface FaultPlan {
  readonly network: NetworkSettings;
  readonly disk: DiskSettings;
  readonly timerLatenessUsMax: number;
  readonly crash: CrashFault | undefined;
  readonly pause: Recurring | undefined;
  readonly partition: PartitionFault | undefined;
  /** A connection breaks. */
  readonly reset: Recurring | undefined;
  readonly slowDisk: SlowDiskFault | undefined;
  /** One sync, write or read fails; the process should end, and is started again. */
  readonly ioError: Recurring | undefined;
  readonly fullDisk: Recurring | undefined;
  readonly clock: ClockFault | undefined;
}

/** A plan without faults: what a healthy cluster is measured against. */
export function calmPlan(): FaultPlan {
  return {
    network: { ...NETWORK_DEFAULTS },
    disk: { ...DISK_DEFAULTS },
    timerLatenessUsMax: 1_000,
    crash: undefined,
    pause: undefined,
    partition: undefined,
    reset: undefined,
    slowDisk: undefined,
    ioError: undefined,
    fullDisk: undefined,
    clock: undefined,
  };
}

/** Which kinds a scenario can bear at all: a program that does not survive EIO is not given any. */
export interface FaultLimits {
  readonly hasDiskErrors: boolean;
}

/** Draws the plan of one run. Every kind draws from a generator of its own. */
export function drawFaultPlan(random: SimRandom, limits: FaultLimits): FaultPlan {
  const when = <Fault>(
    kind: string,
    chance: number,
    draw: (random: SimRandom) => Fault,
  ): Fault | undefined => {
    const own = random.fork(kind);
    return own.chance(chance) ? draw(own) : undefined;
  };
  return {
    network: drawNetwork(random.fork("network")),
    disk: drawDisk(random.fork("disk")),
    timerLatenessUsMax: random.fork("timers").magnitude(10, 20_000),
    crash: when("crash", 0.7, drawCrash),
    pause: when("pause", 0.4, (own) => drawRecurring(own, [1_000, 20_000], [10, 20_000])),
    partition: when("partition", 0.6, drawPartition),
    reset: when("reset", 0.5, (own) => drawRecurring(own, [100, 10_000], [0, 0])),
    slowDisk: when("slow disk", 0.4, (own) => ({
      ...drawRecurring(own, [1_000, 10_000], [100, 10_000]),
      factorMax: own.magnitude(10, 500),
    })),
    ioError: limits.hasDiskErrors
      ? when("io error", 0.25, (own) => drawRecurring(own, [3_000, 20_000], [100, 3_000]))
      : undefined,
    fullDisk: limits.hasDiskErrors
      ? when("full disk", 0.2, (own) => drawRecurring(own, [5_000, 20_000], [100, 5_000]))
      : undefined,
    clock: when("clock", 0.4, (own) => ({
      ...drawRecurring(own, [1_000, 10_000], [0, 0]),
      jumpMsMax: own.magnitude(10, 4_000_000),
    })),
  };
}

function drawRecurring(random: SimRandom, everyMs: RangeMs, lastsMs: RangeMs): Recurring {
  const longestMs = lastsMs[1] === 0 ? 0 : random.magnitude(Math.max(1, lastsMs[0]), lastsMs[1]);
  return { everyMs: random.magnitude(...everyMs), lastsMs: [lastsMs[0], longestMs] };
}

/** A chance that is often nothing, sometimes certain. */
function drawChance(random: SimRandom): number {
  return random.pick([0, 0.1, 0.3, 0.5, 1]);
}

function drawCrash(random: SimRandom): CrashFault {
  return {
    ...drawRecurring(random, [500, 15_000], [1, 10_000]),
    allChance: random.pick([0, 0, 0.1, 0.5]),
    powerCutChance: drawChance(random),
    silentChance: drawChance(random),
    atSyncChance: random.pick([0, 0, 0.5, 1]),
    orderlyChance: random.pick([0, 0.2, 0.5]),
  };
}

function drawPartition(random: SimRandom): PartitionFault {
  return {
    ...drawRecurring(random, [1_000, 15_000], [100, 25_000]),
    oneWayChance: drawChance(random),
  };
}

function drawNetwork(random: SimRandom): NetworkSettings {
  const latencyUsMax = random.magnitude(100, 20_000);
  return {
    ...NETWORK_DEFAULTS,
    latencyUs: spread(random, latencyUsMax),
    delayChance: random.pick([0, 0.01, 0.1, 0.3]),
    delayUs: spread(random, random.magnitude(1_000, 2_000_000)),
    bytesPerUs: random.magnitude(10, 1_000),
    streamWindowBytes: random.magnitude(16 * 1024, 4 * 1024 * 1024),
  };
}

function drawDisk(random: SimRandom): DiskSettings {
  return {
    readUs: spread(random, random.magnitude(20, 5_000)),
    writeUs: spread(random, random.magnitude(20, 5_000)),
    syncUs: spread(random, random.magnitude(100, 50_000)),
    nameUs: spread(random, random.magnitude(20, 5_000)),
    slowChance: random.pick([0, 0.01, 0.05]),
    slowFactor: random.magnitude(2, 50),
  };
}

function spread(random: SimRandom, max: number): RangeUs {
  return [Math.max(1, Math.floor(max / random.between(2, 20))), max];
}

/** One line that tells what a run goes through. */
export function describePlan(plan: FaultPlan): string {
  const kinds = [
    "crash",
    "pause",
    "partition",
    "reset",
    "slowDisk",
    "ioError",
    "fullDisk",
    "clock",
  ];
  const on = kinds.flatMap((kind) => {
    const fault: unknown = Reflect.get(plan, kind);
    if (fault === undefined) return [];
    return [`${kind} every ${(fault as Recurring).everyMs} ms`];
  });
  const { network, disk } = plan;
  const base = `latency ${network.latencyUs.join("-")} us, sync ${disk.syncUs.join("-")} us`;
  return [base, ...on].join(", ");
}
