/**
 * The production raft core under faults: proposals from several clients, crashes with lost writes,
 * partitions, sleeping nodes. At the end everything heals, and the group must work again.
 */
import { allCheckers } from "../../checkers/all-checkers.js";
import { FaultInjector } from "../../fault-injector.js";
import { describePlan, drawFaultPlan, type FaultPlan } from "../../faults.js";
import {
  type Scenario,
  type ScenarioOptions,
  type SeedResult,
  seedResult,
} from "../../scenario.js";
import { World } from "../../world.js";
import { RaftClient } from "./raft-client.js";
import { RAFT_GROUP, RaftServer, type RaftServerOptions, raftNodeName } from "./raft-server.js";

const FAULTS_MS = 30_000;
/** After the end of all faults, a proposal is accepted within this time. */
const RECOVERY_MS_MAX = 60_000;
/** And all replicas are alike within this one. */
const CATCH_UP_MS_MAX = 30_000;
const CLIENTS = 2;

export interface RaftScenarioOptions {
  readonly mistake: RaftServerOptions["mistake"];
  /** Takes the place of the plan that the seed drew, for a test of one kind of fault. */
  readonly plan?: FaultPlan;
}

export function raftScenario(settings: RaftScenarioOptions = { mistake: "none" }): Scenario {
  return {
    name: "raft",
    run: (options) => new RaftRun(options, settings).run(),
  };
}

class RaftRun {
  readonly #world: World;
  readonly #options: ScenarioOptions;
  readonly #settings: RaftScenarioOptions;
  readonly #voters: readonly number[];
  readonly #servers = new Map<number, RaftServer>();
  readonly #clients: RaftClient[] = [];

  constructor(options: ScenarioOptions, settings: RaftScenarioOptions) {
    this.#options = options;
    this.#settings = settings;
    this.#world = new World({ ...options, checkers: allCheckers(), restartAfterExitMs: 1_000 });
    const size = this.#world.random("cluster size").pick([1, 3, 3, 3, 5]);
    this.#voters = Array.from({ length: size }, (_, id) => id);
  }

  async run(): Promise<SeedResult> {
    const world = this.#world;
    const drawn = drawFaultPlan(world.random("faults"), { hasDiskErrors: true });
    const plan = this.#settings.plan ?? drawn;
    this.#options.onFault?.(0, describePlan(plan));
    this.#start();
    const injector = new FaultInjector(world, plan, {
      servers: this.#voters.map(raftNodeName),
      clients: Array.from({ length: CLIENTS }, (_, at) => `client-${at}`),
    });
    injector.start();
    await world.run({ untilMs: FAULTS_MS });
    injector.heal();
    if (world.findings().length === 0) await this.#recover();
    return seedResult(world, { acknowledged: this.#acknowledgedCount, nodes: this.#voters.length });
  }

  get #acknowledgedCount(): number {
    return this.#clients.reduce((sum, client) => sum + client.acknowledgedCount, 0);
  }

  #start(): void {
    const random = this.#world.random("servers");
    const compactAfter = random.magnitude(5, 500);
    const voters = this.#voters;
    for (const self of voters) {
      this.#world.startNode(raftNodeName(self), async (ports) => {
        const server = await RaftServer.open(ports, {
          self,
          voters,
          compactAfter,
          mistake: this.#settings.mistake,
        });
        this.#servers.set(self, server);
        return server;
      });
    }
    for (let at = 0; at < CLIENTS; at++) {
      this.#world.startNode(`client-${at}`, async (ports) => {
        const client = new RaftClient(ports, voters);
        this.#clients.push(client);
        client.run().catch((error: unknown) => ports.exit(asError(error)));
        return { close: async () => client.stop() };
      });
    }
  }

  /** Nothing is broken any more: the group must accept proposals, and its replicas must agree. */
  async #recover(): Promise<void> {
    const world = this.#world;
    const wanted = this.#acknowledgedCount + 10;
    const isServing = (): boolean => this.#acknowledgedCount >= wanted;
    const hasRecovered = await world.runUntil(isServing, { withinMs: RECOVERY_MS_MAX });
    if (!hasRecovered && world.findings().length === 0) {
      world.report(`no proposals are accepted ${RECOVERY_MS_MAX} ms after all faults`, "recovery");
    }
    for (const client of this.#clients) client.stop();
    const hasAgreed = await world.runUntil(() => this.#isAgreed(), { withinMs: CATCH_UP_MS_MAX });
    if (!hasAgreed && world.findings().length === 0) {
      world.report(`replicas differ ${CATCH_UP_MS_MAX} ms after the last proposal`, "recovery");
    }
    this.#dump();
    world.finish();
  }

  #isAgreed(): boolean {
    const servers = this.#voters.map((id) => this.#servers.get(id));
    const lengths = new Set(servers.map((server) => server?.machine.records.length));
    return lengths.size === 1 && servers.some((server) => server?.isLeader === true);
  }

  #dump(): void {
    for (const [id, server] of this.#servers) {
      const { records } = server.machine;
      this.#world.observe({
        kind: "log",
        node: raftNodeName(id),
        partition: RAFT_GROUP,
        isLeader: server.isLeader,
        logStartOffset: 0,
        highWatermark: records.length,
        records,
      });
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
