/**
 * The whole product under faults: production controllers, brokers and clients on simulated clocks,
 * network and disks. Nodes crash, lose what was not synced, sleep, and are cut off; clients write
 * and read all the time. At the end everything heals, the cluster must work again, and the logs
 * must hold what was promised.
 */
import { allCheckers } from "../../checkers/all-checkers.js";
import { FaultInjector } from "../../fault-injector.js";
import { describePlan, drawFaultPlan } from "../../faults.js";
import {
  type Scenario,
  type ScenarioOptions,
  type SeedResult,
  seedResult,
} from "../../scenario.js";
import { World } from "../../world.js";
import { ClusterClient } from "./cluster-client.js";
import { ClusterNode, nodeName, type Sabotage } from "./cluster-node.js";
import { keyOf } from "./keyed-payload.js";
import { ReplicaMover } from "./replica-mover.js";

const FAULTS_MS = 30_000;
/** After the end of all faults, every partition takes records again within this time. */
const RECOVERY_MS_MAX = 90_000;
/** And all replicas are in sync and alike within this one. */
const CATCH_UP_MS_MAX = 90_000;
const CLIENTS = 2;
/** One world of so many has replicas that move. */
const MOVES_IN = 3;
/** Of so many runs, one has a compacted topic. */
const COMPACTED_ONE_IN = 3;

export interface ClusterScenarioOptions {
  readonly sabotage?: Sabotage;
  /** Replicas move; drawn when left out. */
  readonly isMoving?: boolean;
  /** The topic is compacted; drawn when left out. */
  readonly isCompacted?: boolean;
}

export function clusterScenario(settings: ClusterScenarioOptions = {}): Scenario {
  return {
    name: "cluster",
    run: (options) => new ClusterRun(options, settings).run(),
  };
}

class ClusterRun {
  readonly #world: World;
  readonly #options: ScenarioOptions;
  readonly #settings: ClusterScenarioOptions;
  readonly #ids: readonly number[];
  readonly #nodes = new Map<number, ClusterNode>();
  readonly #clients: ClusterClient[] = [];
  #mover: ReplicaMover | undefined;
  /** Offsets that compaction has left out, over all replicas. */
  #droppedCount = 0;

  constructor(options: ScenarioOptions, settings: ClusterScenarioOptions) {
    this.#options = options;
    this.#settings = settings;
    this.#world = new World({
      ...options,
      checkers: allCheckers(keyOf),
      restartAfterExitMs: 1_000,
    });
    const size = this.#world.random("cluster size").pick([1, 3, 3, 3, 3]);
    this.#ids = Array.from({ length: size }, (_, at) => at + 1);
  }

  async run(): Promise<SeedResult> {
    const world = this.#world;
    const plan = drawFaultPlan(world.random("faults"), { hasDiskErrors: false });
    this.#options.onFault?.(0, describePlan(plan));
    this.#start();
    const injector = new FaultInjector(world, plan, {
      servers: this.#ids.map(nodeName),
      clients: Array.from({ length: CLIENTS }, (_, at) => `client-${at}`),
    });
    injector.start();
    await world.run({ untilMs: FAULTS_MS });
    this.#mover?.stop();
    injector.heal();
    // A broker whose clock is hours behind refuses records as being from the future, and is right.
    for (const id of this.#ids) world.machine(nodeName(id)).wall.skewMs = 0;
    if (world.findings().length === 0) await this.#recover();
    return seedResult(world, {
      acknowledged: this.#acknowledgedCount,
      dropped: this.#droppedCount,
      nodes: this.#ids.length,
    });
  }

  get #acknowledgedCount(): number {
    return this.#clients.reduce((sum, client) => sum + client.acknowledgedCount, 0);
  }

  #start(): void {
    const voters = this.#ids;
    for (const id of voters) {
      this.#world.startNode(nodeName(id), async (ports) => {
        const node = await ClusterNode.open(ports, {
          id,
          voters,
          sabotage: this.#settings.sabotage,
          onCommitted: (leader, partition, highWatermark) => {
            this.#requireHeld(leader, partition, highWatermark);
          },
        });
        this.#nodes.set(id, node);
        return node;
      });
    }
    const random = this.#world.random("workload");
    const partitions = random.pick([1, 2, 3]);
    const recordBytesMax = random.magnitude(1, 2_000);
    const burstMax = random.magnitude(1, 30);
    const pauseMsMax = random.magnitude(5, 500);
    this.#startMover(partitions);
    const compaction = this.#world.random("compaction");
    const isCompacted = this.#settings.isCompacted ?? compaction.below(COMPACTED_ONE_IN) === 0;
    const keyCount = isCompacted ? compaction.magnitude(1, 200) : undefined;
    for (let at = 0; at < CLIENTS; at += 1) {
      this.#world.startNode(`client-${at}`, async (ports) => {
        const client = new ClusterClient(ports, {
          nodes: voters,
          partitions,
          replicationFactor: voters.length,
          recordBytesMax,
          burstMax,
          pauseMsMax,
          keyCount,
          report: (problem) => this.#world.report(problem, `client-${at}`),
        });
        this.#clients.push(client);
        client.run().catch((error: unknown) => ports.exit(asError(error)));
        return client;
      });
    }
  }

  /** In some worlds replicas move while all the rest goes on. */
  #startMover(partitions: number): void {
    const nodes = this.#ids;
    const isMoving = this.#settings.isMoving ?? this.#world.random("moves").below(MOVES_IN) === 0;
    if (nodes.length === 1 || !isMoving) return;
    this.#world.startNode("mover", async (ports) => {
      const mover = new ReplicaMover(ports, { nodes, partitions });
      this.#mover = mover;
      mover.run().catch((error: unknown) => ports.exit(asError(error)));
      return mover;
    });
  }

  /**
   * Whoever the controllers call in sync may be elected next, so it must hold what is committed:
   * the leader has to count each of them, also those that it has only asked for.
   */
  #requireHeld(leader: ClusterNode, key: string, highWatermark: number): void {
    const at = [...leader.broker.partitions.all()].find((partition) => partition.key === key);
    if (at === undefined || !at.isLeader) return;
    let newest = leader.metadata;
    for (const { metadata } of this.#nodes.values())
      if (metadata.offset > newest.offset) newest = metadata;
    const state = newest.topics.get(at.topicId)?.partitions[at.partition];
    if (state === undefined || state.leaderEpoch !== at.leaderEpoch) return;
    for (const id of state.isr) {
      const node = this.#nodes.get(id);
      if (node === undefined || this.#world.stateOf(nodeName(id)) === "down") continue;
      const held = node.broker.partitions.get(at.topicId, at.partition)?.log.durableEndOffset;
      if (held === undefined || held >= highWatermark) continue;
      this.#world.report(
        `${key} is committed up to ${highWatermark}, but broker ${id}, which is in sync, holds ${held}`,
        "in-sync replicas hold what is committed",
      );
    }
  }

  /** Nothing is broken any more. */
  async #recover(): Promise<void> {
    const world = this.#world;
    const isClean = (): boolean => world.findings().length === 0;
    const wanted = this.#acknowledgedCount + 20;
    const isServing = (): boolean => this.#acknowledgedCount >= wanted;
    const hasRecovered = await world.runUntil(isServing, { withinMs: RECOVERY_MS_MAX });
    if (!hasRecovered && isClean()) {
      world.report(`no records are accepted ${RECOVERY_MS_MAX} ms after all faults`, "recovery");
    }
    for (const client of this.#clients) client.stop();
    const hasAgreed = await world.runUntil(() => this.#isAgreed(), { withinMs: CATCH_UP_MS_MAX });
    if (!hasAgreed && isClean()) {
      world.report(`replicas differ ${CATCH_UP_MS_MAX} ms after the last record`, "recovery");
    }
    if (!isClean()) return;
    await this.#dump();
    world.finish();
  }

  /** Nothing is under way: logs that are compared now are what they will stay. */
  #isAgreed(): boolean {
    if (!this.#clients.every((client) => client.isAnswered)) return false;
    if (this.#mover?.isAnswered === false) return false;
    const nodes = this.#ids.map((id) => this.#nodes.get(id));
    if (!nodes.every((node) => node?.isWhole === true)) return false;
    // What the last move has changed is in effect everywhere.
    if (new Set(nodes.map((node) => node?.broker.image.offset)).size > 1) return false;
    const ends = new Map<string, number>();
    for (const node of nodes) {
      for (const { key, log, highWatermark } of node?.broker.partitions.all() ?? []) {
        if (highWatermark !== log.logEndOffset) return false;
        if ((ends.get(key) ?? log.logEndOffset) !== log.logEndOffset) return false;
        ends.set(key, log.logEndOffset);
      }
    }
    return true;
  }

  /** Reading the logs takes simulated time, so it is done by the world's own loop. */
  async #dump(): Promise<void> {
    const world = this.#world;
    let isDone = false;
    const dump = async (): Promise<void> => {
      for (const [id, node] of this.#nodes) {
        for (const log of await node.logs()) {
          world.observe({ kind: "log", node: nodeName(id), ...log });
          this.#droppedCount += log.highWatermark - log.logStartOffset - log.records.length;
        }
      }
    };
    dump().then(
      () => {
        isDone = true;
      },
      (error: unknown) => world.report(asError(error).message, "dump"),
    );
    await world.runUntil(() => isDone, { withinMs: CATCH_UP_MS_MAX });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
