/**
 * A controller: one voter of the raft quorum that orders the cluster's metadata. The one that leads
 * is the active controller: it takes commands and decides who is alive.
 */

import {
  decodeCommand,
  isSubmittable,
  type MetadataCommand,
  type MetadataImage,
} from "@strandline/metadata";
import {
  BrokerError,
  type ClusterId,
  clusterId,
  type DirectoryId,
  type NodeId,
  uuidText,
} from "@strandline/model";
import {
  type Clock,
  type KeyValueStore,
  type Logger,
  type Random,
  type RpcRoute,
  streamRoute,
  type Timer,
  type Timers,
  type Transport,
  unaryRoute,
} from "@strandline/platform";
import { type RaftMessage, RaftNode } from "@strandline/raft";
import {
  type CommandRequest,
  type CommandResponse,
  controllerMethods,
  type HelloRequest,
  type HelloResponse,
  type QuorumDescription,
  raftMethods,
} from "@strandline/rpc";
import { BrokerSessions } from "./broker-sessions.js";
import { Housekeeping } from "./housekeeping.js";
import { type Admission, introduce } from "./introductions.js";
import { MetadataFeeds } from "./metadata-feeds.js";
import { type CommandAnswer, MetadataMachine, notController } from "./metadata-machine.js";
import { describeQuorum } from "./quorum-description.js";
import { QuorumWatch } from "./quorum-watch.js";
import { RaftDriver } from "./raft-driver.js";
import { RaftStorage } from "./raft-storage.js";
import { RaftTransport } from "./raft-transport.js";

const TICK_MS = 50;
const LIVENESS_TICK_MS = 50;
/** The log is cut behind a snapshot once it has grown by this much. Entries. */
const SNAPSHOT_ENTRIES = 10_000;
const TRANSFER_MS_MAX = 500;
const EARLY_CAMPAIGNS_MS = [100, 300, 600];
/** Stands for a vote that may have been given by the disk that was lost. */
const VOTE_UNKNOWN = 2_147_483_647;

/** Told what becomes of the quorum: for checkers of invariants. Must not throw or act. */
export interface ControllerProbe {
  becameRaftLeader(term: number): void;
}

export interface ControllerPorts {
  readonly probe?: ControllerProbe | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly transport: Transport;
  /** Raft's own store. */
  readonly store: KeyValueStore;
  readonly logger: Logger;
}

export interface ControllerOptions {
  readonly nodeId: NodeId;
  readonly directoryId: DirectoryId;
  /** Undefined on a first start. */
  readonly clusterId: ClusterId | undefined;
  /** All controllers, this one among them; addresses are "host:port" of their peer listeners. */
  readonly voters: readonly { readonly id: NodeId; readonly address: string }[];
  readonly replaceDirectory: boolean;
  /** This controller cannot go on: refused by the others, or its store failed. */
  onFatal(error: Error): void;
}

export interface ControllerStatus {
  readonly role: string;
  readonly term: number;
  readonly leader: number;
  readonly isActive: boolean;
  readonly commit: number;
}

export class Controller {
  readonly #ports: ControllerPorts;
  readonly #options: ControllerOptions;
  readonly #storage: RaftStorage;
  readonly #machine: MetadataMachine;
  readonly #feeds: MetadataFeeds;
  readonly #sessions: BrokerSessions;
  readonly #transport: RaftTransport;
  readonly #watch = new QuorumWatch(TICK_MS);
  readonly #housekeeping = new Housekeeping({
    image: () => this.#machine.image,
    submit: (command) => this.#submitQuietly(command),
  });
  #driver: RaftDriver | undefined;
  #liveness: Timer | undefined;
  #silentUntilIndex = 0;
  #leader = -1;
  #term = 0;
  #snapshotIndex = 0;
  #isCompacting = false;
  #isClosed = false;
  #isStopping = false;

  private constructor(ports: ControllerPorts, options: ControllerOptions, storage: RaftStorage) {
    this.#ports = ports;
    this.#options = options;
    this.#storage = storage;
    this.#machine = new MetadataMachine(
      (data) => this.#driver?.propose(data) ?? "not-leader",
      (committed) => this.#feeds.committed(committed),
    );
    this.#feeds = new MetadataFeeds({
      clusterId: () => this.clusterId,
      view: () => ({
        controllerId: this.#leader,
        controllerAddress: this.#addressOf(this.#leader),
        voters: this.#driver?.node.voters ?? [],
        term: this.#term,
      }),
      snapshot: () => ({ json: this.#machine.encode(), endOffset: this.#machine.image.offset }),
    });
    this.#sessions = new BrokerSessions(ports, {
      isActive: () => this.#machine.isActive,
      image: () => this.#machine.image,
      nextOffset: () => (this.#driver?.node.lastIndex ?? 0) + 1,
      submit: async (command) => await this.#machine.submit(command),
    });
    this.#transport = new RaftTransport(
      ports,
      { self: options.nodeId, peers: options.voters },
      {
        clusterId: () => this.clusterId ?? "",
        onMessage: (message) => this.#received(message),
        onLost: (id) => {
          this.#driver?.peerLost(id);
          this.#sessions.connectionLost(id as NodeId);
        },
      },
    );
  }

  /** Serves `routes` at once; takes part in elections only after `start`. */
  static open(ports: ControllerPorts, options: ControllerOptions): Controller {
    return new Controller(ports, options, new RaftStorage(ports.store));
  }

  /** For the listener that nodes reach. */
  get routes(): readonly RpcRoute[] {
    return [
      unaryRoute(raftMethods.hello, async (request) => await this.#hello(request)),
      streamRoute(raftMethods.exchange, (stream) => this.#transport.receiver(stream)),
      streamRoute(controllerMethods.session, (stream) => this.#sessions.receiver(stream)),
      streamRoute(controllerMethods.follow, (stream) => this.#feeds.receiver(stream)),
      unaryRoute(controllerMethods.submit, async (request) => await this.#submit(request)),
      unaryRoute(controllerMethods.describeQuorum, async (request) => {
        this.#requireActive(request.clusterId);
        return this.#quorum();
      }),
    ];
  }

  get clusterId(): ClusterId | undefined {
    return this.#machine.image.clusterId ?? this.#options.clusterId;
  }

  get image(): MetadataImage {
    return this.#machine.image;
  }

  get status(): ControllerStatus {
    const node = this.#driver?.node;
    return {
      role: node?.role ?? "starting",
      term: node?.term ?? 0,
      leader: node?.leader ?? -1,
      isActive: this.#machine.isActive,
      commit: node?.commit ?? 0,
    };
  }

  /** Restores, introduces itself where that is needed, and takes part. Throws the refusal. */
  async start(): Promise<void> {
    let restored = await this.#storage.restore();
    if (restored === undefined) {
      const admission = await this.#introduce({ isKnown: false });
      if (admission.term > 0) {
        const hardState = { term: admission.term, vote: VOTE_UNKNOWN, commit: 0 };
        await this.#storage.begin(hardState, admission.silentUntilIndex);
        restored = await this.#storage.restore();
      }
    } else {
      this.#introduceAgain();
    }
    if (this.#isClosed) return;
    this.#silentUntilIndex = await this.#storage.silentUntilIndex();
    if (restored?.snapshot !== undefined) {
      this.#machine.restore(restored.snapshot);
      this.#snapshotIndex = restored.snapshot.index;
      this.#feeds.restored(restored.snapshot.index);
    }
    const node = new RaftNode({
      self: this.#options.nodeId,
      voters: this.#options.voters.map((voter) => voter.id).sort((a, b) => a - b),
      electionTicks: 20,
      heartbeatTicks: 3,
      entriesBytesMax: 1024 * 1024,
      inflightMax: 64,
      seed: this.#ports.random.below(2 ** 31),
      restored,
      applied: restored?.snapshot?.index ?? 0,
    });
    this.#checkVoters(node.voters);
    this.#driver = new RaftDriver(
      this.#ports,
      { node, storage: this.#storage, tickMs: TICK_MS },
      {
        send: (message) => this.#transport.send(message),
        onCommitted: (entries) => {
          for (const entry of entries) this.#machine.apply(entry);
        },
        onSnapshot: (snapshot) => {
          this.#machine.restore(snapshot);
          this.#snapshotIndex = snapshot.index;
          this.#feeds.restored(snapshot.index);
        },
        onRound: () => this.#afterRound(),
        onFailed: (error) => this.#options.onFatal(error),
      },
    );
    this.#transport.start();
    if (this.#silentUntilIndex === 0) {
      this.#driver.start();
      this.#campaignEarly(this.#driver);
    }
    this.#livenessTick();
  }

  async close(): Promise<void> {
    if (this.#isClosed || this.#isStopping) return;
    this.#isStopping = true;
    await this.#handOver();
    this.#isClosed = true;
    this.#liveness?.cancel();
    this.#machine.deactivate();
    this.#sessions.deactivated();
    this.#feeds.close();
    await this.#driver?.close();
    this.#transport.close();
  }

  /**
   * At a start of the whole cluster nobody leads, and everyone would wait for an election timeout.
   * One node asks at once; pre-vote keeps it from disturbing a leader that it has not heard yet.
   */
  #campaignEarly(driver: RaftDriver): void {
    const first = Math.min(...this.#options.voters.map((voter) => voter.id));
    if (this.#options.nodeId !== first) return;
    for (const delayMs of EARLY_CAMPAIGNS_MS) {
      this.#ports.timers.after(delayMs, () => {
        if (this.#isClosed || driver.node.leader !== -1) return;
        driver.campaign();
      });
    }
  }

  async #introduce(options: { readonly isKnown: boolean }): Promise<Admission> {
    const { nodeId, directoryId, voters, replaceDirectory } = this.#options;
    return await introduce(
      this.#ports,
      {
        nodeId,
        directoryId,
        voters,
        replaceDirectory,
        clusterId: this.#options.clusterId ?? "",
        ...options,
      },
      () => this.#isClosed,
    );
  }

  /** A leader that stops on purpose names its successor: no election timeout, no gap. */
  async #handOver(): Promise<void> {
    const driver = this.#driver;
    if (driver === undefined || driver.node.role !== "leader") return;
    const heirs = driver.node.peers
      .filter((peer) => peer.id !== this.#options.nodeId && this.#transport.isConnected(peer.id))
      .sort((a, b) => b.matchIndex - a.matchIndex);
    const heir = heirs[0];
    if (heir === undefined) return;
    driver.transferLeadership(heir.id);
    for (let waitedMs = 0; waitedMs < TRANSFER_MS_MAX; waitedMs += TICK_MS) {
      if (driver.node.role !== "leader") return;
      await new Promise<void>((resolve) => {
        this.#ports.timers.after(TICK_MS, resolve);
      });
    }
  }

  /** A node that has taken part before asks beside its work: its disk may be of another cluster. */
  #introduceAgain(): void {
    this.#introduce({ isKnown: true }).catch((error: unknown) => {
      if (!this.#isClosed)
        this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** The log of another cluster would elect this node among voters that nobody here asked for. */
  #checkVoters(inLog: readonly number[]): void {
    const asked = this.#options.voters.map((voter) => voter.id).sort((a, b) => a - b);
    if (inLog.length === asked.length && asked.every((id) => inLog.includes(id))) return;
    throw new BrokerError(
      "INVALID_VOTER_KEY",
      `this data directory was used with the controllers ${inLog.join(", ")}, --voters names ` +
        `${asked.join(", ")}; start the node with the voters of its own cluster, or with its own directory`,
    );
  }

  #received(message: RaftMessage): void {
    const driver = this.#driver;
    if (driver === undefined) return;
    if (this.#silentUntilIndex > 0) {
      // A replaced disk: what it once promised is unknown, so it promises nothing yet.
      if (message.kind === "vote" || message.kind === "pre-vote") return;
      if (message.kind === "timeout-now") return;
    }
    driver.step(message);
  }

  /** Role, leader, image: whatever the round changed takes effect here. */
  #afterRound(): void {
    const driver = this.#driver;
    if (driver === undefined || this.#isClosed) return;
    const { node } = driver;
    if (this.#silentUntilIndex > 0 && node.lastIndex >= this.#silentUntilIndex) {
      this.#silentUntilIndex = 0;
      this.#storage.endSilence().then(
        () => driver.start(),
        (error: unknown) => this.#options.onFatal(error as Error),
      );
    }
    const isLeading = node.role === "leader";
    if (this.#machine.isActive && (!isLeading || node.term !== this.#term)) {
      this.#machine.deactivate();
      this.#sessions.deactivated();
    }
    if (node.leader !== this.#leader || node.term !== this.#term) {
      if (isLeading) this.#ports.probe?.becameRaftLeader(node.term);
      this.#term = node.term;
      this.#leader = node.leader;
      this.#ports.logger.info({ term: node.term, leader: node.leader }, "raft leader");
      this.#feeds.viewChanged();
    }
    if (isLeading && !this.#machine.isActive && this.#machine.appliedTerm === node.term)
      this.#activate();
    this.#maybeCompact(driver);
  }

  /** Every entry of earlier terms is applied: decisions can rest on the image now. */
  #activate(): void {
    this.#machine.activate();
    const lost = this.#options.voters
      .filter(
        (voter) => voter.id !== this.#options.nodeId && !this.#transport.isConnected(voter.id),
      )
      .map((voter) => voter.id);
    this.#sessions.activated(new Set(lost));
    this.#housekeeping.activated(this.#ports.clock.monotonicMs());
    this.#watch.reset();
    this.#ports.logger.info({ term: this.#term }, "became the active controller");
    if (this.#machine.image.clusterId !== undefined) return;
    this.#submitQuietly({
      kind: "initialize-cluster",
      clusterId: this.#options.clusterId ?? clusterId(uuidText(this.#ports.random.bytes(16))),
    });
  }

  #maybeCompact(driver: RaftDriver): void {
    const applied = this.#machine.image.offset;
    if (this.#isCompacting || applied - this.#snapshotIndex < SNAPSHOT_ENTRIES) return;
    this.#isCompacting = true;
    this.#snapshotIndex = applied;
    driver.compact(applied, this.#machine.encode()).then(
      () => {
        this.#isCompacting = false;
      },
      (error: unknown) => {
        this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #livenessTick(): void {
    if (this.#isClosed) return;
    this.#liveness = this.#ports.timers.after(LIVENESS_TICK_MS, () => this.#livenessTick());
    this.#sessions.tick();
    if (!this.#machine.isActive) return;
    if (this.#driver !== undefined) {
      this.#watch.observe(this.#driver.node, this.#ports.clock.wallMs());
    }
    this.#housekeeping.tick(this.#ports.clock.monotonicMs());
  }

  #submitQuietly(command: MetadataCommand): void {
    this.#machine.submit(command).catch((error: unknown) => {
      this.#ports.logger.debug({ command: command.kind, error: String(error) }, "command refused");
    });
  }

  #addressOf(id: number): string {
    return this.#options.voters.find((voter) => voter.id === id)?.address ?? "";
  }

  #requireActive(cluster: string): void {
    if (!this.#machine.isActive) throw notController();
    const own = this.clusterId ?? "";
    if (cluster !== "" && own !== "" && cluster !== own) {
      throw new BrokerError("INCONSISTENT_CLUSTER_ID", `the controllers belong to cluster ${own}`);
    }
  }

  #quorum(): QuorumDescription {
    const node = this.#driver?.node;
    if (node === undefined) throw notController();
    return describeQuorum(
      { self: this.#options.nodeId, node, nodes: this.#machine.image.nodes },
      this.#ports.clock.wallMs(),
      {
        voter: (id, nowMs) => this.#watch.standingOf(id, node, nowMs),
        broker: (id) => this.#sessions.standingOf(id),
      },
    );
  }

  async #submit(request: CommandRequest): Promise<CommandResponse> {
    this.#requireActive(request.clusterId);
    const command = decodeCommand(parse(request.command));
    if (!isSubmittable(command)) {
      throw new BrokerError("INVALID_REQUEST", `"${command.kind}" is the controller's own command`);
    }
    const answer: CommandAnswer = await this.#machine.submit(command);
    return {
      response: encoder.encode(JSON.stringify(answer.response ?? null)),
      metadataOffset: answer.metadataOffset,
    };
  }

  async #hello(request: HelloRequest): Promise<HelloResponse> {
    const id = request.nodeId as NodeId;
    const node = this.#driver?.node;
    const registered = this.#machine.image.nodes.get(id);
    const stored = registered?.directoryId ?? (await this.#storage.peerDirectory(id));
    const isReplaced = request.replaceDirectory && !this.#sessions.isHeard(id);
    if (registered === undefined && (stored === undefined || isReplaced)) {
      await this.#storage.rememberPeer(id, request.directoryId);
    }
    if (isReplaced && stored !== request.directoryId) this.#driver?.node.forget(id);
    return {
      nodeId: this.#options.nodeId,
      clusterId: this.clusterId ?? "",
      knownDirectoryId: stored ?? "",
      isAlive: this.#sessions.isHeard(id),
      knownAddress: registered?.peerAddress ?? "",
      term: node?.term ?? 0,
      lastIndex: node?.lastIndex ?? 0,
    };
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown;
  } catch (error) {
    throw new BrokerError("INVALID_REQUEST", "a command is JSON", { cause: error });
  }
}
