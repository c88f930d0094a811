/**
 * Carries a fault plan out on a world, and ends with everything healed: what does not recover then
 * is a finding of the scenario, not of the faults.
 */
import { calmPlan, type FaultPlan, type Recurring } from "./faults.js";
import type { SimRandom } from "./random.js";
import type { World } from "./world.js";

/** Long enough for the others to elect a leader meanwhile. */
const HANGING_SYNC_MS_MAX = 3_000;

export interface FaultTargets {
  /** Nodes that crash, sleep and lose their disks. */
  readonly servers: readonly string[];
  /** Nodes that are only cut off. */
  readonly clients: readonly string[];
}

export class FaultInjector {
  readonly #world: World;
  readonly #plan: FaultPlan;
  readonly #targets: FaultTargets;
  #isOver = false;

  constructor(world: World, plan: FaultPlan, targets: FaultTargets) {
    this.#world = world;
    this.#plan = plan;
    this.#targets = targets;
  }

  /** Lets faults strike from now on, until {@link heal}. */
  start(): void {
    const plan = this.#plan;
    Object.assign(this.#world.network.settings, plan.network);
    Object.assign(this.#world.diskSettings, plan.disk);
    this.#world.timerSettings.timerLatenessUsMax = plan.timerLatenessUsMax;
    this.#recur("crash", plan.crash, (random) => this.#crash(random));
    this.#recur("pause", plan.pause, (random) => this.#pause(random));
    this.#recur("partition", plan.partition, (random) => this.#partition(random));
    this.#recur("reset", plan.reset, (random) => {
      if (this.#world.network.resetOne(random)) this.#world.noteFault("reset a connection");
    });
    this.#recur("slow disk", plan.slowDisk, (random) => this.#slowDisk(random));
    this.#recur("io error", plan.ioError, (random) => this.#ioError(random));
    this.#recur("full disk", plan.fullDisk, (random) => this.#fullDisk(random));
    this.#recur("clock", plan.clock, (random) => this.#jumpClock(random));
  }

  /** Ends all faults: the network is whole and calm, every node runs, every disk works. */
  heal(): void {
    this.#isOver = true;
    const world = this.#world;
    const calm = calmPlan();
    Object.assign(world.network.settings, calm.network);
    Object.assign(world.diskSettings, calm.disk);
    world.timerSettings.timerLatenessUsMax = calm.timerLatenessUsMax;
    world.heal();
    for (const id of this.#targets.servers) {
      const machine = world.machine(id);
      machine.diskFaults.heal();
      if (machine.state === "paused") world.resume(id);
      // What met an I/O error, or is half way through its end, starts afresh.
      if (machine.isStopping || machine.hadDiskFault) world.crash(id);
      machine.hadDiskFault = false;
      if (machine.state === "down") world.restart(id);
    }
  }

  #recur(name: string, fault: Recurring | undefined, strike: (random: SimRandom) => void): void {
    if (fault === undefined) return;
    const random = this.#world.random(`fault ${name}`);
    const again = (): void => {
      if (this.#isOver) return;
      strike(random);
      next();
    };
    // Anywhere from at once to twice the mean.
    const next = (): void => this.#world.after(random.between(1, 2 * fault.everyMs), again);
    next();
  }

  #after(fault: Recurring, random: SimRandom, end: () => void): void {
    const lastsMs = random.between(...fault.lastsMs);
    this.#world.after(lastsMs, () => {
      if (!this.#isOver) end();
    });
  }

  #crash(random: SimRandom): void {
    const fault = this.#plan.crash;
    const { servers } = this.#targets;
    if (fault === undefined) return;
    const victims = random.chance(fault.allChance) ? servers : [random.pick(servers)];
    const isOrderly = random.chance(fault.orderlyChance);
    const losesUnsynced = random.chance(fault.powerCutChance);
    const isSilent = random.chance(fault.silentChance);
    const isAtSync = random.chance(fault.atSyncChance);
    for (const id of victims) {
      if (this.#world.stateOf(id) === "down") continue;
      const strike = (): void => {
        if (isOrderly) this.#world.stop(id);
        else this.#world.crash(id, { losesUnsynced, isSilent });
        this.#after(fault, random, () => this.#restart(id));
      };
      if (isAtSync) this.#atNextSync(id, random, strike);
      else strike();
    }
  }

  /** Lets the node's next sync hang, and strikes before it is through. */
  #atNextSync(id: string, random: SimRandom, strike: () => void): void {
    const machine = this.#world.machine(id);
    machine.diskFaults.onNextSync((delayUs) => {
      const { generation } = machine;
      const hangsMs = random.magnitude(1, HANGING_SYNC_MS_MAX);
      this.#world.noteFault(`a sync of ${id} hangs for ${hangsMs} ms`);
      this.#world.after(random.between(0, hangsMs), () => {
        if (!this.#isOver && machine.generation === generation) strike();
      });
      return delayUs + hangsMs * 1_000;
    });
  }

  #restart(id: string): void {
    const machine = this.#world.machine(id);
    if (machine.isStopping) this.#world.crash(id, { losesUnsynced: false });
    if (machine.state === "down") this.#world.restart(id);
  }

  #pause(random: SimRandom): void {
    const id = random.pick(this.#targets.servers);
    const machine = this.#world.machine(id);
    const { generation } = machine;
    if (this.#plan.pause === undefined || machine.state === "down") return;
    if (machine.state === "paused") return;
    this.#world.pause(id);
    this.#after(this.#plan.pause, random, () => {
      if (machine.generation === generation && machine.state === "paused") this.#world.resume(id);
    });
  }

  #partition(random: SimRandom): void {
    const fault = this.#plan.partition;
    if (fault === undefined) return;
    const nodes = [...this.#targets.servers, ...this.#targets.clients];
    const shuffled = random.shuffled(nodes);
    if (random.chance(fault.oneWayChance)) {
      const [from, to] = shuffled;
      if (from !== undefined && to !== undefined) this.#world.cut(from, to);
    } else {
      const cutAt = random.between(1, Math.max(1, shuffled.length - 1));
      this.#world.partition([shuffled.slice(0, cutAt), shuffled.slice(cutAt)]);
    }
    // One heals all: what the next draws adds to a network that is whole or cut already.
    this.#after(fault, random, () => this.#world.heal());
  }

  #slowDisk(random: SimRandom): void {
    const fault = this.#plan.slowDisk;
    if (fault === undefined) return;
    const id = random.pick(this.#targets.servers);
    const { diskFaults } = this.#world.machine(id);
    diskFaults.slowness = random.magnitude(2, fault.factorMax);
    this.#world.noteFault(`disk of ${id} ${diskFaults.slowness} times as slow`);
    this.#after(fault, random, () => {
      diskFaults.slowness = 1;
    });
  }

  #ioError(random: SimRandom): void {
    const fault = this.#plan.ioError;
    if (fault === undefined) return;
    const id = random.pick(this.#targets.servers);
    const machine = this.#world.machine(id);
    const { generation } = machine;
    const operation = random.pick(["sync", "sync", "write", "read", "name"] as const);
    machine.diskFaults.failNext(operation, random.magnitude(1, 20));
    machine.hadDiskFault = true;
    this.#world.noteFault(`a ${operation} of ${id} will fail`);
    // A supervisor, or an operator: the process is started again on a disk that works.
    this.#after(fault, random, () => {
      machine.diskFaults.heal();
      if (machine.generation === generation) this.#world.crash(id, { losesUnsynced: false });
      machine.hadDiskFault = false;
      this.#restart(id);
    });
  }

  #fullDisk(random: SimRandom): void {
    const fault = this.#plan.fullDisk;
    if (fault === undefined) return;
    const id = random.pick(this.#targets.servers);
    const machine = this.#world.machine(id);
    const { generation } = machine;
    machine.diskFaults.capacityBytes = machine.disk.usedBytes() + random.magnitude(1, 65_536);
    machine.hadDiskFault = true;
    this.#world.noteFault(`disk of ${id} is nearly full`);
    this.#after(fault, random, () => {
      machine.diskFaults.capacityBytes = undefined;
      if (machine.generation === generation) this.#world.crash(id, { losesUnsynced: false });
      machine.hadDiskFault = false;
      this.#restart(id);
    });
  }

  #jumpClock(random: SimRandom): void {
    const fault = this.#plan.clock;
    if (fault === undefined) return;
    const id = random.pick(this.#targets.servers);
    const jumpMs = random.between(-fault.jumpMsMax, fault.jumpMsMax);
    this.#world.machine(id).wall.skewMs += jumpMs;
    this.#world.noteFault(`clock of ${id} jumps by ${jumpMs} ms`);
  }
}
