/**
 * A process of the raft scenario: the production raft core in the smallest shell that it can run
 * in. It exists to try the core and the simulator on each other.
 */
import { BrokerError } from "@strandline/model";
import { type RpcStream, streamRoute, unaryRoute } from "@strandline/platform";
import { type RaftMessage, RaftNode, type Ready } from "@strandline/raft";
import type { App, NodePorts } from "../../node-ports.js";
import { RaftStateMachine } from "./raft-machine.js";
import { RaftStore } from "./raft-store.js";
import { exchangeMethod, type ProposalAnswer, proposeMethod, RAFT_PORT } from "./raft-wire.js";

export interface RaftServerOptions {
  readonly self: number;
  readonly voters: readonly number[];
  /** Entries kept in the log before they become a snapshot. */
  readonly compactAfter: number;
  /** What this shell does wrong on purpose, for a test of what the simulator finds. */
  readonly mistake: "none" | "no-sync" | "send-first" | "answer-early";
}

export const RAFT_GROUP = "raft-0";

const TICK_MS = 50;
const RECONNECT_MS = 100;
const PROPOSAL_MS_MAX = 2_000;

export function raftNodeName(id: number): string {
  return `raft-${id}`;
}

interface Waiting {
  readonly payload: string;
  readonly answer: (offset: number) => void;
}

export class RaftServer implements App {
  readonly #ports: NodePorts;
  readonly #options: RaftServerOptions;
  readonly #store: RaftStore;
  readonly #node: RaftNode;
  readonly #machine = new RaftStateMachine();
  readonly #peers = new Map<number, RpcStream<RaftMessage>>();
  #waiting: Waiting[] = [];
  #driving: Promise<void> | undefined;
  #isClosed = false;

  static async open(ports: NodePorts, options: RaftServerOptions): Promise<RaftServer> {
    const store = await ports.openKeyValueStore("/data/raft");
    const opened = await RaftStore.open(store);
    const { restored } = opened;
    const snapshot = restored?.snapshot;
    const node = new RaftNode({
      self: options.self,
      voters: options.voters,
      electionTicks: 10,
      heartbeatTicks: 2,
      entriesBytesMax: 4_096,
      inflightMax: 8,
      seed: ports.random.below(2 ** 31),
      restored,
      applied: snapshot?.index ?? 0,
    });
    const server = new RaftServer(ports, options, { store: opened.store, node });
    if (snapshot !== undefined) server.#machine.restore(snapshot.data, snapshot.index);
    await ports.transport.listen(ports.host, RAFT_PORT, server.#routes());
    for (const voter of options.voters) if (voter !== options.self) server.#connect(voter);
    server.#tick();
    return server;
  }

  private constructor(
    ports: NodePorts,
    options: RaftServerOptions,
    parts: { readonly store: RaftStore; readonly node: RaftNode },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#store = parts.store;
    this.#node = parts.node;
  }

  get isLeader(): boolean {
    return this.#node.role === "leader";
  }

  get machine(): RaftStateMachine {
    return this.#machine;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#driving;
    await this.#ports.transport.close();
    await this.#store.close();
  }

  #routes() {
    const exchange = streamRoute(exchangeMethod, () => ({
      onMessage: (message) => {
        this.#node.step(message);
        this.#drive();
      },
      onEnd: () => undefined,
    }));
    return [exchange, unaryRoute(proposeMethod, ({ payload }) => this.#propose(payload))];
  }

  #tick(): void {
    if (this.#isClosed) return;
    this.#node.tick();
    this.#drive();
    this.#ports.timers.after(TICK_MS, () => this.#tick());
  }

  #connect(peer: number): void {
    if (this.#isClosed) return;
    const address = `${raftNodeName(peer)}:${RAFT_PORT}`;
    const stream = this.#ports.transport.open(address, exchangeMethod, {
      onMessage: () => undefined,
      onEnd: () => {
        this.#peers.delete(peer);
        this.#node.peerLost(peer);
        this.#drive();
        this.#ports.timers.after(RECONNECT_MS, () => this.#connect(peer));
      },
    });
    this.#peers.set(peer, stream);
  }

  async #propose(payload: string): Promise<ProposalAnswer> {
    const known = this.#machine.offsetOf(payload);
    if (known !== undefined) return { offset: known };
    if (this.#node.propose(Buffer.from(payload)) === "not-leader") {
      throw new BrokerError("NOT_CONTROLLER", "another node leads, or none");
    }
    this.#drive();
    if (this.#options.mistake === "answer-early") {
      return { offset: this.#machine.records.length };
    }
    return new Promise((resolve, reject) => {
      const timer = this.#ports.timers.after(PROPOSAL_MS_MAX, () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(new BrokerError("REQUEST_TIMED_OUT", "not committed in time"));
      });
      const answer = (offset: number): void => {
        timer.cancel();
        resolve({ offset });
      };
      const waiting = { payload, answer };
      this.#waiting.push(waiting);
    });
  }

  /** Works off what the core asks for, unless that is under way. */
  #drive(): void {
    if (this.#driving !== undefined || this.#isClosed || !this.#node.hasReady()) return;
    this.#driving = this.#driveAll().then(
      () => {
        this.#driving = undefined;
        this.#drive();
      },
      // A raft node that cannot persist must not go on.
      (error: unknown) => this.#ports.exit(error instanceof Error ? error : undefined),
    );
  }

  async #driveAll(): Promise<void> {
    while (this.#node.hasReady() && !this.#isClosed) {
      const ready = this.#node.ready();
      // Taken now: the node goes on taking messages while its state is written.
      const { term } = this.#node;
      const { mistake } = this.#options;
      if (mistake === "send-first") this.#send(ready);
      await this.#store.persist(ready, ready.mustSync && mistake !== "no-sync");
      if (mistake !== "send-first") this.#send(ready);
      this.#apply(ready, term);
      this.#node.advance(ready);
      await this.#compactIfDue();
    }
  }

  #send(ready: Ready): void {
    for (const message of ready.messages) this.#peers.get(message.to)?.send(message);
  }

  #apply(ready: Ready, term: number): void {
    const { host: node, generation } = this.#ports;
    if (ready.role === "leader") {
      this.#ports.observe({ kind: "raft-leader", node, group: RAFT_GROUP, term });
    }
    if (ready.snapshot !== undefined) {
      this.#machine.restore(ready.snapshot.data, ready.snapshot.index);
    }
    for (const entry of ready.committed) this.#machine.apply(entry);
    if (ready.committed.length === 0 && ready.snapshot === undefined) return;
    const highWatermark = this.#machine.records.length;
    const partition = RAFT_GROUP;
    this.#ports.observe({ kind: "high-watermark", node, generation, partition, highWatermark });
    this.#waiting = this.#waiting.filter(({ payload, answer }) => {
      const offset = this.#machine.offsetOf(payload);
      if (offset !== undefined) answer(offset);
      return offset === undefined;
    });
  }

  async #compactIfDue(): Promise<void> {
    const { appliedIndex } = this.#machine;
    if (appliedIndex - this.#node.snapshotIndex < this.#options.compactAfter) return;
    const snapshot = this.#node.snapshotAt(appliedIndex, this.#machine.snapshot());
    if (snapshot === undefined) return;
    await this.#store.compact(snapshot);
    this.#node.compact(snapshot);
  }
}
