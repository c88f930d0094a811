/**
 * One node of a world: a machine with its disk and its wall clock, and the process that runs on it,
 * if one does. The machine outlives its processes.
 */
import { crc32c, nodeCompressors } from "@strandline/platform";
import { DiskFaults, type DiskSettings } from "./disk/disk-settings.js";
import { SimDisk } from "./disk/sim-disk.js";
import { type DiskPorts, SimFileSystem } from "./disk/sim-file-system.js";
import { openSimStore, SimStores } from "./disk/sim-key-value-store.js";
import { Incarnation, type IncarnationOptions } from "./incarnation.js";
import type { Network } from "./network/network.js";
import { SimTransport } from "./network/sim-transport.js";
import type { App, Boot, NodePorts } from "./node-ports.js";
import type { Observation } from "./observation.js";
import type { SimRandom } from "./random.js";
import type { Scheduler } from "./scheduler.js";
import { simClock, simTimers, type TimerSettings, type WallClock } from "./sim-clock.js";
import { type LogLine, simLogger } from "./sim-logger.js";

export type MachineState = "down" | "starting" | "running" | "paused" | "stopping";

/** What all machines of a world share. */
export interface MachinePorts {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly diskSettings: DiskSettings;
  readonly timerSettings: TimerSettings;
  readonly onBreach: IncarnationOptions["onBreach"];
  readonly onBug: IncarnationOptions["onBug"];
  readonly onLog: (line: LogLine) => void;
  readonly onObservation: (observation: Observation) => void;
  /** The process ended by itself, or never came up. */
  readonly onExit: (machine: Machine, reason: unknown) => void;
}

export class Machine {
  readonly id: string;
  readonly number: number;
  readonly wall: WallClock = { skewMs: 0 };
  readonly disk = new SimDisk();
  readonly stores = new SimStores();
  readonly diskFaults = new DiskFaults();
  /** The process that runs may have met a disk error, and not be what it was. */
  hadDiskFault = false;
  readonly #ports: MachinePorts;
  readonly #random: SimRandom;
  #boot: Boot;
  #incarnation: Incarnation | undefined;
  #app: App | undefined;
  #isStopping = false;
  #generation = 0;

  constructor(
    ports: MachinePorts,
    options: {
      readonly id: string;
      readonly number: number;
      readonly boot: Boot;
      readonly random: SimRandom;
    },
  ) {
    this.#ports = ports;
    this.id = options.id;
    this.number = options.number;
    this.#boot = options.boot;
    this.#random = options.random;
  }

  get state(): MachineState {
    const incarnation = this.#incarnation;
    if (incarnation === undefined) return "down";
    if (incarnation.state === "paused") return "paused";
    if (this.#isStopping) return "stopping";
    return this.#app === undefined ? "starting" : "running";
  }

  /** True from the request of an orderly end on, also while the process is paused. */
  get isStopping(): boolean {
    return this.#incarnation !== undefined && this.#isStopping;
  }

  /** How many processes were started here. */
  get generation(): number {
    return this.#generation;
  }

  /** Starts a process. `boot` replaces the one it was made with. */
  start(boot?: Boot): void {
    if (this.#incarnation !== undefined) return;
    this.#boot = boot ?? this.#boot;
    this.#generation++;
    this.#isStopping = false;
    const { scheduler, network, onBreach, onBug } = this.#ports;
    const { id: node, number } = this;
    const generation = this.#generation;
    const options = { node, number, generation, onBreach, onBug };
    const incarnation = new Incarnation(scheduler, options);
    this.#incarnation = incarnation;
    network.machineStarted(node);
    const run = (): void => this.#run(incarnation);
    incarnation.schedule(1, { kind: "start", detail: generation, run });
  }

  /** The process is gone, from one instruction to the next. */
  crash(how: { readonly losesUnsynced: boolean; readonly isSilent: boolean }): void {
    const incarnation = this.#incarnation;
    if (incarnation === undefined) return;
    incarnation.die();
    this.#incarnation = undefined;
    this.#app = undefined;
    this.#ports.network.processEnded(incarnation, how.isSilent);
    if (!how.losesUnsynced) return;
    const random = this.#random.fork(`power cut ${this.#generation}`);
    this.disk.loseUnsynced(random);
    this.stores.loseUnsynced(random);
  }

  /** Asks the process to end in an orderly way. One that is not up yet simply ends. */
  stop(): void {
    const incarnation = this.#incarnation;
    if (incarnation === undefined || this.#isStopping) return;
    const app = this.#app;
    if (app === undefined) {
      this.crash({ losesUnsynced: false, isSilent: false });
      return;
    }
    this.#isStopping = true;
    const end = (): void => {
      if (incarnation.isAlive) this.crash({ losesUnsynced: false, isSilent: false });
    };
    const run = (): void => {
      app.close().then(end, (error: unknown) => {
        incarnation.bug(error);
        end();
      });
    };
    incarnation.schedule(0, { kind: "stop", run });
  }

  pause(): void {
    this.#incarnation?.pause();
    this.#ports.network.reviewAll();
  }

  resume(): void {
    this.#incarnation?.resume();
    this.#ports.network.reviewAll();
  }

  #run(incarnation: Incarnation): void {
    const started = (app: App): void => {
      if (this.#incarnation === incarnation) this.#app = app;
    };
    const failed = (error: unknown): void => this.#exit(incarnation, error);
    this.#boot(this.#nodePorts(incarnation)).then(started, failed);
  }

  #exit(incarnation: Incarnation, reason: unknown): void {
    if (this.#incarnation !== incarnation) return;
    this.crash({ losesUnsynced: false, isSilent: false });
    this.#ports.onExit(this, reason);
  }

  #nodePorts(incarnation: Incarnation): NodePorts {
    const { network, timerSettings, onLog, onObservation } = this.#ports;
    const random = this.#random.fork(`run ${incarnation.generation}`);
    let transportCount = 0;
    const newTransport = (): SimTransport => {
      return new SimTransport(incarnation, network, random.fork(`transport ${transportCount++}`));
    };
    const diskPorts: DiskPorts = {
      incarnation,
      disk: this.disk,
      settings: this.#ports.diskSettings,
      faults: this.diskFaults,
      random: random.fork("disk"),
    };
    return {
      host: this.id,
      generation: incarnation.generation,
      clock: simClock(incarnation, this.wall, random.fork("clock")),
      timers: simTimers(incarnation, timerSettings, random.fork("timers")),
      random: random.fork("node"),
      fileSystem: new SimFileSystem(diskPorts),
      openKeyValueStore: (path) => openSimStore(diskPorts, path, this.stores.at(path)),
      transport: newTransport(),
      newTransport,
      logger: simLogger(incarnation, onLog),
      crc32c,
      compressors: nodeCompressors,
      buffers: incarnation.buffers,
      observe: (observation) => {
        if (incarnation.isAlive) onObservation(observation);
      },
      exit: (reason) => this.#exit(incarnation, reason),
    };
  }
}
