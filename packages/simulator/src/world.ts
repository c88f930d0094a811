/**
 * A whole cluster in one process and in virtual time: machines, the network between them, and the
 * checkers that watch. Everything that happens follows from the seed and from the calls made here.
 */
import { assert } from "@strandline/model";
import { DISK_DEFAULTS, type DiskSettings } from "./disk/disk-settings.js";
import { type Finding, isBug } from "./finding.js";
import { Machine, type MachineState } from "./machine.js";
import { Network } from "./network/network.js";
import { NETWORK_DEFAULTS, type NetworkSettings } from "./network/network-settings.js";
import type { Boot } from "./node-ports.js";
import type { Checker, Observation } from "./observation.js";
import { forbidRealWorld, watchProcess } from "./process-guard.js";
import { SimRandom } from "./random.js";
import { type RunEnd, Scheduler } from "./scheduler.js";
import type { TimerSettings } from "./sim-clock.js";
import type { LogLine } from "./sim-logger.js";
import { Trace } from "./trace.js";

export interface WorldOptions {
  readonly seed: number;
  readonly network?: Partial<NetworkSettings>;
  readonly disk?: Partial<DiskSettings>;
  /** How late timers are at most; default 1 ms. */
  readonly timerLatenessUsMax?: number;
  readonly checkers?: readonly Checker[];
  readonly onLog?: (line: LogLine) => void;
  /** Told of each thing done to the cluster from outside. */
  readonly onFault?: (atMs: number, what: string) => void;
  /** A process that ended by itself starts again after so long; undefined: it stays down. */
  readonly restartAfterExitMs?: number;
  /** False lets a run go on after a finding; true unless told otherwise. */
  readonly stopsAtFinding?: boolean;
  /** Makes Date, Math.random and timers throw in node code. Not inside a test runner. */
  readonly forbidsRealWorld?: boolean;
}

export interface CrashOptions {
  /** What was not synced is lost, as in a power cut; true unless told otherwise. */
  readonly losesUnsynced?: boolean;
  /** Nobody resets the connections, as when the machine is off; false unless told otherwise. */
  readonly isSilent?: boolean;
}

/** An orderly end that takes longer is cut short, as a supervisor does. */
const STOP_MS_MAX = 30_000;

export class World {
  readonly seed: number;
  readonly network: Network;
  /** May be changed while the world runs. */
  readonly diskSettings: DiskSettings;
  /** May be changed while the world runs. */
  readonly timerSettings: TimerSettings;
  readonly #options: WorldOptions;
  readonly #random: SimRandom;
  readonly #trace = new Trace();
  readonly #scheduler: Scheduler;
  readonly #machines = new Map<string, Machine>();
  readonly #checkers: readonly Checker[];
  readonly #findings: Finding[] = [];

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.#options = options;
    this.#random = SimRandom.fromSeed(options.seed);
    this.#checkers = options.checkers ?? [];
    this.#scheduler = new Scheduler(this.#trace, (error, owner) => {
      this.#report("exception", this.#nodeOf(owner?.number), error);
    });
    const network = { ...NETWORK_DEFAULTS, ...options.network };
    this.network = new Network(this.#scheduler, network, this.#random.fork("network"));
    this.diskSettings = { ...DISK_DEFAULTS, ...options.disk };
    this.timerSettings = { timerLatenessUsMax: options.timerLatenessUsMax ?? 1_000 };
  }

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.#scheduler.nowUs / 1000;
  }

  /** Fingerprint of everything that has happened. */
  get traceHash(): string {
    return this.#trace.hash;
  }

  get eventCount(): number {
    return this.#trace.count;
  }

  get nodeIds(): readonly string[] {
    return [...this.#machines.keys()];
  }

  /** Empty is what one hopes for. */
  findings(): readonly Finding[] {
    return this.#findings;
  }

  /** A generator of its own for whoever drives the world, told apart by `name`. */
  random(name: string): SimRandom {
    return this.#random.fork(`world ${name}`);
  }

  /** Adds a node, or starts one that is down, and boots its process. */
  startNode(id: string, boot: Boot): void {
    const known = this.#machines.get(id);
    if (known !== undefined) {
      known.start(boot);
      return;
    }
    const number = this.#machines.size + 1;
    const random = this.#random.fork(`node ${id}`);
    const machine = new Machine(this.#machinePorts(), { id, number, boot, random });
    this.#machines.set(id, machine);
    machine.start();
  }

  /** The process ends without a last word. No effect on one that is down. */
  crash(id: string, options: CrashOptions = {}): void {
    const { losesUnsynced = true, isSilent = false } = options;
    this.noteFault(`crash ${id}${losesUnsynced ? ", power cut" : ""}${isSilent ? ", silent" : ""}`);
    this.machine(id).crash({ losesUnsynced, isSilent });
  }

  /** Starts a process on what its predecessor left. No effect on one that runs. */
  restart(id: string): void {
    this.noteFault(`restart ${id}`);
    this.machine(id).start();
  }

  /** Ends the process in an orderly way; see `stateOf` for when it is done. */
  stop(id: string): void {
    this.noteFault(`stop ${id}`);
    const machine = this.machine(id);
    const { generation } = machine;
    machine.stop();
    this.after(STOP_MS_MAX, () => {
      if (machine.generation !== generation || machine.state === "down") return;
      this.crash(id, { losesUnsynced: false });
    });
  }

  /** Stops the process between two instructions; the machine goes on. */
  pause(id: string): void {
    this.noteFault(`pause ${id}`);
    this.machine(id).pause();
  }

  resume(id: string): void {
    this.noteFault(`resume ${id}`);
    this.machine(id).resume();
  }

  /** Messages between nodes of different groups vanish, both ways. On top of what is cut. */
  partition(groups: readonly (readonly string[])[]): void {
    this.noteFault(`partition ${groups.map((group) => group.join(" ")).join(" | ")}`);
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue;
        for (const from of group) for (const to of other) this.network.block(from, to);
      }
    }
  }

  /** Messages from one node to the other vanish; the other way they pass. */
  cut(from: string, to: string): void {
    this.noteFault(`cut ${from} > ${to}`);
    this.network.block(from, to);
  }

  /** The network is whole again. */
  heal(): void {
    this.noteFault("heal");
    this.network.unblockAll();
  }

  machine(id: string): Machine {
    const machine = this.#machines.get(id);
    assert(machine !== undefined, `a node named ${id} exists`);
    return machine;
  }

  stateOf(id: string): MachineState {
    return this.machine(id).state;
  }

  /** Calls `run` in so much virtual time, whatever happens to the nodes. */
  after(delayMs: number, run: () => void): void {
    this.#scheduler.schedule(undefined, Math.round(delayMs * 1000), { kind: "world", run });
  }

  /** Tells the checkers a fact that no node tells itself. */
  observe(observation: Observation): void {
    for (const checker of this.#checkers) {
      const problem = checker.observe(observation);
      if (problem !== undefined) this.report(problem, checker.name);
    }
  }

  /** Asks the checkers for what is wrong with the whole. Once, at the end. */
  finish(): readonly Finding[] {
    for (const checker of this.#checkers) {
      for (const problem of checker.finish()) this.report(problem, checker.name);
    }
    return this.#findings;
  }

  /** An invariant is broken; the run stops. */
  report(problem: string, source: string): void {
    this.#report("invariant", undefined, `${source}: ${problem}`);
  }

  /** Lets virtual time pass; ends early at the first finding. */
  async run(options: { readonly untilMs: number }): Promise<void> {
    await this.#run(Math.round(options.untilMs * 1000), undefined);
  }

  /** Lets time pass until `isDone`; false when time was up, or something was found, before. */
  async runUntil(isDone: () => boolean, options: { readonly withinMs: number }): Promise<boolean> {
    const untilUs = this.#scheduler.nowUs + Math.round(options.withinMs * 1000);
    return (await this.#run(untilUs, isDone)) === "done";
  }

  async #run(untilUs: number, isDone: (() => boolean) | undefined): Promise<RunEnd> {
    if (this.#findings.length > 0 && this.#options.stopsAtFinding !== false) return "stopped";
    const current = (): string | undefined => this.#nodeOf(this.#scheduler.current?.number);
    const giveBack = watchProcess({
      onRejection: (reason) => this.#report("unhandled-rejection", current(), reason),
      onException: (error) => this.#report("exception", current(), error),
    });
    const allow =
      this.#options.forbidsRealWorld === true
        ? forbidRealWorld(() => this.#scheduler.current !== undefined)
        : undefined;
    try {
      return await this.#scheduler.run({ untilUs, isDone });
    } finally {
      allow?.();
      giveBack();
    }
  }

  #machinePorts(): ConstructorParameters<typeof Machine>[0] {
    return {
      scheduler: this.#scheduler,
      network: this.network,
      diskSettings: this.diskSettings,
      timerSettings: this.timerSettings,
      onBreach: (node, message) => this.#report("contract", node, message),
      onBug: (node, error) => this.#report("exception", node, error),
      onLog: (line) => this.#options.onLog?.(line),
      onObservation: (observation) => this.observe(observation),
      onExit: (machine, reason) => this.#exited(machine, reason),
    };
  }

  #exited(machine: Machine, reason: unknown): void {
    const text = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
    this.noteFault(`${machine.id} ended by itself: ${text}`);
    if (reason !== undefined && isBug(reason)) this.#report("exception", machine.id, reason);
    const { restartAfterExitMs } = this.#options;
    const { generation } = machine;
    if (restartAfterExitMs === undefined) return;
    this.after(restartAfterExitMs, () => {
      if (machine.generation === generation) machine.start();
    });
  }

  /** Something was done to the cluster from outside: it becomes part of the trace. */
  noteFault(what: string): void {
    this.#trace.note(this.#scheduler.nowUs, 0, what, 0);
    this.#options.onFault?.(this.nowMs, what);
  }

  #nodeOf(number: number | undefined): string | undefined {
    for (const machine of this.#machines.values()) if (machine.number === number) return machine.id;
    return undefined;
  }

  #report(kind: Finding["kind"], node: string | undefined, problem: unknown): void {
    const isError = problem instanceof Error;
    const message = isError ? `${problem.name}: ${problem.message}` : String(problem);
    const stack = isError ? problem.stack : undefined;
    this.#findings.push({ seed: this.seed, atMs: this.nowMs, node, kind, message, stack });
    if (this.#options.stopsAtFinding !== false) this.#scheduler.stop();
  }
}
