/**
 * The standing streams of the brokers to the active controller: registration, heartbeats, and the
 * commands that follow from them. What is decided is decided by `Liveness` and by the metadata.
 */
import type { MetadataCommand, MetadataImage, NodeStoppingResponse } from "@strandline/metadata";
import { type BrokerEpoch, BrokerError, type ClusterId, type NodeId } from "@strandline/model";
import type { Clock, Logger, RpcReceiver, RpcStream } from "@strandline/platform";
import type { BrokerMessage, ControllerMessage, Heartbeat, Registration } from "@strandline/rpc";
import { Liveness } from "./liveness.js";
import { type CommandAnswer, notController } from "./metadata-machine.js";
import type { ReplicaStanding } from "./quorum-watch.js";

const LIVENESS = {
  sessionMsMax: 6_000,
  reconnectMsMax: 300,
  discoveryMsMax: 2_000,
  pauseMsMin: 1_000,
};

export interface SessionsOwner {
  isActive(): boolean;
  image(): MetadataImage;
  /** The offset that a command submitted now takes effect at. */
  nextOffset(): number;
  submit(command: MetadataCommand): Promise<CommandAnswer>;
}

interface Session {
  readonly id: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly stream: RpcStream<ControllerMessage>;
  /** Nothing that the broker leads can move any more. */
  mayStop: boolean;
  /** What it had put into effect at its last heartbeat, and when that was. */
  appliedOffset: number;
  heardMs: number;
  /** When it had put everything into effect last; -1: never. */
  caughtUpMs: number;
}

export class BrokerSessions {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #owner: SessionsOwner;
  readonly #liveness: Liveness;
  readonly #sessions = new Map<NodeId, Session>();
  /** Commands under way, so that a heartbeat does not ask twice. */
  readonly #underWay = new Set<string>();

  constructor(ports: { clock: Clock; logger: Logger }, owner: SessionsOwner) {
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#owner = owner;
    this.#liveness = new Liveness(LIVENESS, ports.clock.monotonicMs());
  }

  /** This controller has become active. `lost`: nodes whose raft connection is down. */
  activated(lost: ReadonlySet<NodeId>): void {
    const unfenced = [...this.#owner.image().nodes.values()].filter((node) => !node.isFenced);
    this.#liveness.activated(
      unfenced.map((node) => node.id),
      lost,
      this.#clock.monotonicMs(),
    );
  }

  /** Another controller is active now: the brokers must go there. */
  deactivated(): void {
    for (const session of [...this.#sessions.values()]) session.stream.abort(notController());
    this.#sessions.clear();
    this.#underWay.clear();
  }

  isHeard(id: NodeId): boolean {
    return this.#owner.isActive() && this.#liveness.isHeard(id);
  }

  /** How far a broker has come with the metadata; undefined without a session. */
  standingOf(id: NodeId): ReplicaStanding | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    return {
      logEndOffset: session.appliedOffset,
      lastFetchMs: session.heardMs,
      lastCaughtUpMs: session.caughtUpMs,
    };
  }

  connectionLost(id: NodeId): void {
    this.#liveness.connectionLost(id, this.#clock.monotonicMs());
  }

  /** Time has passed: fences the brokers whose time is up. */
  tick(): void {
    const expired = this.#liveness.ticked(this.#clock.monotonicMs());
    if (!this.#owner.isActive()) return;
    for (const id of expired) {
      const node = this.#owner.image().nodes.get(id);
      if (node === undefined || node.isFenced) continue;
      this.#logger.warn({ broker: id }, "fences a broker that is not heard any more");
      this.#command(`fence-${id}`, {
        kind: "fence-node",
        nodeId: id,
        brokerEpoch: node.brokerEpoch,
      });
    }
  }

  receiver(stream: RpcStream<ControllerMessage>): RpcReceiver<BrokerMessage> {
    let session: Session | undefined;
    let isOver = false;
    return {
      onMessage: (message) => {
        if (message.registration !== undefined && session === undefined) {
          this.#register(stream, message.registration).then(
            (opened) => {
              session = opened;
              if (isOver) this.#ended(opened);
            },
            (error: unknown) => {
              stream.abort(error instanceof Error ? error : new Error(String(error)));
            },
          );
        } else if (message.heartbeat !== undefined && session !== undefined) {
          this.#heartbeat(session, message.heartbeat);
        }
      },
      onEnd: () => {
        isOver = true;
        stream.end();
        if (session !== undefined) this.#ended(session);
      },
    };
  }

  async #register(
    stream: RpcStream<ControllerMessage>,
    registration: Registration,
  ): Promise<Session> {
    const id = registration.nodeId as NodeId;
    const { response } = await this.#owner.submit({
      kind: "register-node",
      nodeId: id,
      clusterId: registration.clusterId as ClusterId | "",
      directoryId: registration.directoryId as never,
      incarnationId: registration.incarnationId,
      address: registration.address,
      peerAddress: registration.peerAddress,
      kafkaListeners: registration.kafkaListeners,
      rack: registration.rack,
      version: registration.version,
      settings: Object.fromEntries(registration.settings),
      cleanShutdownEpoch: registration.cleanShutdownEpoch as never,
      replaceDirectory: registration.replaceDirectory,
      isAlive: this.#liveness.isHeard(id),
      brokerEpoch: this.#owner.nextOffset() as BrokerEpoch,
    });
    if (!this.#owner.isActive()) throw notController();
    const { brokerEpoch } = response as { brokerEpoch: BrokerEpoch };
    const before = this.#sessions.get(id);
    const session: Session = {
      id,
      brokerEpoch,
      stream,
      mayStop: false,
      appliedOffset: -1,
      heardMs: this.#clock.wallMs(),
      caughtUpMs: -1,
    };
    this.#sessions.set(id, session);
    // The same broker came back before its old stream was seen to break.
    before?.stream.abort(
      new BrokerError("STALE_BROKER_EPOCH", "this broker opened a newer session"),
    );
    this.#liveness.heard(id, this.#clock.monotonicMs());
    this.#logger.info({ broker: id, brokerEpoch }, "broker registered");
    this.#answer(session);
    return session;
  }

  #heartbeat(session: Session, heartbeat: Heartbeat): void {
    const { id, brokerEpoch } = session;
    if (this.#sessions.get(id) !== session || !this.#owner.isActive()) return;
    const node = this.#owner.image().nodes.get(id);
    if (node === undefined || node.brokerEpoch !== brokerEpoch) return;
    this.#liveness.heard(id, this.#clock.monotonicMs());
    session.appliedOffset = heartbeat.metadataOffset;
    session.heardMs = this.#clock.wallMs();
    if (heartbeat.metadataOffset >= this.#owner.image().offset)
      session.caughtUpMs = session.heardMs;
    if (heartbeat.isFailed) {
      this.#command(`failed-${id}`, { kind: "node-failed", nodeId: id, brokerEpoch });
    } else if (heartbeat.wantsStop) {
      this.#stopping(session);
    } else if (node.isFenced && heartbeat.metadataOffset >= brokerEpoch) {
      // It has recovered its logs and put at least its own registration into effect.
      this.#command(`unfence-${id}`, { kind: "unfence-node", nodeId: id, brokerEpoch });
    }
    this.#answer(session);
  }

  /** Asked again at each heartbeat: a replica that has caught up meanwhile can take over. */
  #stopping(session: Session): void {
    const { id, brokerEpoch } = session;
    this.#command(
      `stopping-${id}`,
      { kind: "node-stopping", nodeId: id, brokerEpoch },
      (answer) => {
        session.mayStop = (answer.response as NodeStoppingResponse).leadsMovable === 0;
      },
    );
  }

  #answer(session: Session): void {
    const image = this.#owner.image();
    const node = image.nodes.get(session.id);
    session.stream.send({
      brokerEpoch: session.brokerEpoch,
      isFenced: node?.isFenced ?? true,
      mayStop: session.mayStop,
      metadataEndOffset: image.offset,
      clusterId: image.clusterId ?? "",
    });
  }

  #ended(session: Session): void {
    if (this.#sessions.get(session.id) !== session) return;
    this.#sessions.delete(session.id);
    this.#liveness.sessionEnded(session.id, this.#clock.monotonicMs());
  }

  #command(
    key: string,
    command: MetadataCommand & { readonly nodeId: NodeId },
    onAnswer: (answer: CommandAnswer) => void = () => undefined,
  ): void {
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    this.#owner.submit(command).then(
      (answer) => {
        this.#underWay.delete(key);
        onAnswer(answer);
        // Whoever waits for this (admitted, may stop) hears of it now, not at the next beat.
        const session = this.#sessions.get(command.nodeId);
        if (session !== undefined) this.#answer(session);
      },
      (error: unknown) => {
        this.#underWay.delete(key);
        const isMoved = error instanceof BrokerError && error.code === "NOT_CONTROLLER";
        if (!isMoved) this.#logger.warn({ command: key, error: String(error) }, "command refused");
      },
    );
  }
}
