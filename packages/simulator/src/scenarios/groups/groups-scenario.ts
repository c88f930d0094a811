/**
 * Consumer groups under faults: production brokers coordinate, simulated members join, commit and
 * leave while nodes crash, sleep and are cut off. A partition has one owner in a generation, and
 * what was committed stays. At the end everything heals, and every group must work again.
 */

import { StrandlineClient } from "@strandline/client";
import { BrokerSettings } from "@strandline/metadata";
import { GROUPS_TOPIC } from "@strandline/model";
import { committedOffsets } from "../../checkers/committed-offsets.js";
import { monotoneEpoch } from "../../checkers/monotone-epoch.js";
import { monotoneHighWatermark } from "../../checkers/monotone-high-watermark.js";
import { oneLeaderPerEpoch } from "../../checkers/one-leader-per-epoch.js";
import { oneLeaderPerTerm } from "../../checkers/one-leader-per-term.js";
import { oneOwner } from "../../checkers/one-owner.js";
import { FaultInjector } from "../../fault-injector.js";
import { describePlan, drawFaultPlan } from "../../faults.js";
import type { App, NodePorts } from "../../node-ports.js";
import {
  type Scenario,
  type ScenarioOptions,
  type SeedResult,
  seedResult,
} from "../../scenario.js";
import { World } from "../../world.js";
import { CLIENT_PORT, ClusterNode, nodeName, type Sabotage } from "../cluster/cluster-node.js";
import { GroupCaller } from "./group-caller.js";
import { GroupMember } from "./group-member.js";

const FAULTS_MS = 30_000;
/** After the end of all faults, every group commits again within this time. */
const RECOVERY_MS_MAX = 90_000;
const GROUPS = ["one", "two"];
const MEMBERS_PER_GROUP = 3;
const TOPIC = "shared";
const TOPIC_PARTITIONS = 4;
const OFFSETS_PARTITIONS = 3;
const RETRY_MS = 300;

const SETTINGS = new BrokerSettings(
  new Map([
    ["group.min.session.timeout.ms", "1000"],
    ["group.initial.rebalance.delay.ms", "500"],
    ["offsets.topic.num.partitions", String(OFFSETS_PARTITIONS)],
    ["offsets.topic.segment.bytes", "4096"],
    ["offsets.retention.check.interval.ms", "5000"],
  ]),
);

export interface GroupsScenarioOptions {
  readonly sabotage?: Sabotage;
}

export function groupsScenario(settings: GroupsScenarioOptions = {}): Scenario {
  return {
    name: "groups",
    run: (options) => new GroupsRun(options, settings).run(),
  };
}

class GroupsRun {
  readonly #world: World;
  readonly #options: ScenarioOptions;
  readonly #sabotage: Sabotage | undefined;
  readonly #ids = [1, 2, 3];
  readonly #nodes = new Map<number, ClusterNode>();
  /** Of each group; those of processes that have ended count as well. */
  readonly #members = new Map<string, GroupMember[]>(GROUPS.map((group) => [group, []]));
  #answers = 0;

  constructor(options: ScenarioOptions, settings: GroupsScenarioOptions) {
    this.#options = options;
    this.#sabotage = settings.sabotage;
    const checkers = [
      oneOwner(),
      committedOffsets(),
      oneLeaderPerEpoch(),
      monotoneEpoch(),
      monotoneHighWatermark(),
      oneLeaderPerTerm(),
    ];
    this.#world = new World({ ...options, checkers, restartAfterExitMs: 1_000 });
  }

  async run(): Promise<SeedResult> {
    const world = this.#world;
    const plan = drawFaultPlan(world.random("faults"), { hasDiskErrors: false });
    this.#options.onFault?.(0, describePlan(plan));
    this.#startNodes();
    this.#startMembers();
    const injector = new FaultInjector(world, plan, {
      servers: this.#ids.map(nodeName),
      clients: Array.from({ length: MEMBERS_PER_GROUP }, (_, at) => `client-${at}`),
    });
    injector.start();
    await world.run({ untilMs: FAULTS_MS });
    injector.heal();
    for (const id of this.#ids) world.machine(nodeName(id)).wall.skewMs = 0;
    if (world.findings().length === 0) await this.#recover();
    const all = [...this.#members.values()].flat();
    return seedResult(world, {
      commits: all.reduce((sum, member) => sum + member.commitCount, 0),
      generations: all.reduce((sum, member) => sum + member.generationCount, 0),
    });
  }

  #startNodes(): void {
    for (const id of this.#ids) {
      this.#world.startNode(nodeName(id), async (ports) => {
        const node = await ClusterNode.open(ports, {
          id,
          voters: this.#ids,
          settings: SETTINGS,
          sabotage: this.#sabotage,
          onCommitted: () => undefined,
        });
        this.#nodes.set(id, node);
        return node;
      });
    }
  }

  /** Each client machine has one member of every group. */
  #startMembers(): void {
    const random = this.#world.random("workload");
    const pauseMsMax = random.magnitude(10, 500);
    const isStatic = random.chance(0.3);
    for (let at = 0; at < MEMBERS_PER_GROUP; at += 1) {
      const host = `client-${at}`;
      this.#world.startNode(host, async (ports) => {
        const members = GROUPS.map((groupId) => {
          const member = this.#member(ports, {
            groupId,
            name: `${groupId}-${at}`,
            instanceId: isStatic ? `static-${at}` : undefined,
            pauseMsMax,
          });
          this.#members.get(groupId)?.push(member);
          return member;
        });
        const client = this.#client(ports);
        this.#begin(ports, client, members).catch((error: unknown) => ports.exit(asError(error)));
        const app: App = {
          close: async () => {
            for (const member of members) member.stop();
            await client.close();
          },
        };
        return app;
      });
    }
  }

  #client(ports: NodePorts): StrandlineClient {
    return new StrandlineClient(ports, {
      bootstrap: this.#ids.map((id) => `${nodeName(id)}:${CLIENT_PORT}`),
    });
  }

  #member(
    ports: NodePorts,
    options: {
      readonly groupId: string;
      readonly name: string;
      readonly instanceId: string | undefined;
      readonly pauseMsMax: number;
    },
  ): GroupMember {
    const caller = new GroupCaller(ports, {
      groupId: options.groupId,
      nodes: this.#ids,
      partitionCount: OFFSETS_PARTITIONS,
    });
    return new GroupMember(ports, caller, {
      ...options,
      topic: TOPIC,
      partitions: TOPIC_PARTITIONS,
      report: (problem) => this.#world.report(problem, ports.host),
    });
  }

  async #begin(
    ports: NodePorts,
    client: StrandlineClient,
    members: readonly GroupMember[],
  ): Promise<void> {
    for (;;) {
      try {
        await this.#untilTopics(client);
        break;
      } catch {
        await new Promise<void>((resolve) => {
          ports.timers.after(RETRY_MS, resolve);
        });
      }
    }
    await Promise.all(members.map(async (member) => await member.run()));
  }

  /** The topic that is shared out. The topic of groups is made by the brokers when asked for it. */
  async #untilTopics(client: StrandlineClient): Promise<void> {
    const shared = { name: TOPIC, partitions: TOPIC_PARTITIONS, replicationFactor: 3 };
    const known = (await client.admin.listTopics()).map(({ name }) => name);
    if (!known.includes(TOPIC)) await client.admin.createTopic(shared);
    for (const node of this.#nodes.values()) node.broker.groups.coordinatorOf("any");
    if (!known.includes(GROUPS_TOPIC)) throw new Error("the topic of groups is on its way");
  }

  /** Nothing is broken any more. */
  async #recover(): Promise<void> {
    const world = this.#world;
    const wanted = GROUPS.map((group) => this.#commitsOf(group) + 10);
    const isServing = (): boolean =>
      GROUPS.every((group, at) => this.#commitsOf(group) >= (wanted[at] ?? 0));
    const hasRecovered = await world.runUntil(isServing, { withinMs: RECOVERY_MS_MAX });
    if (world.findings().length > 0) return;
    if (!hasRecovered) {
      world.report(`a group commits nothing ${RECOVERY_MS_MAX} ms after all faults`, "recovery");
      return;
    }
    await this.#askAll();
    if (world.findings().length === 0) world.finish();
  }

  /** A last look at everything that is committed, by somebody who is no member. */
  async #askAll(): Promise<void> {
    const partitions = Array.from({ length: TOPIC_PARTITIONS }, (_, at) => at);
    this.#world.startNode("auditor", async (ports) => {
      for (const groupId of GROUPS) {
        const auditor = this.#member(ports, {
          groupId,
          name: "auditor",
          instanceId: undefined,
          pauseMsMax: 1,
        });
        const ask = async (): Promise<void> => {
          for (;;) {
            try {
              await auditor.ask(`auditor of ${groupId}`, partitions);
              this.#answers += 1;
              return;
            } catch {
              await new Promise<void>((resolve) => {
                ports.timers.after(RETRY_MS, resolve);
              });
            }
          }
        };
        ask().catch((error: unknown) => ports.exit(asError(error)));
      }
      return { close: async () => undefined };
    });
    const isDone = (): boolean => this.#answers === GROUPS.length;
    if (!(await this.#world.runUntil(isDone, { withinMs: RECOVERY_MS_MAX }))) {
      this.#world.report("nobody says what is committed", "recovery");
    }
  }

  #commitsOf(group: string): number {
    const members = this.#members.get(group) ?? [];
    return members.reduce((sum, member) => sum + member.commitCount, 0);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
