/**
 * Carries raft messages: one stream to each other voter for what this node says; what it hears
 * comes on the streams that the others opened. A broken stream is told at once: it is the fastest
 * sign that a leader has died.
 */
import { BrokerError } from "@strandline/model";
import type {
  Logger,
  Random,
  RpcReceiver,
  RpcStream,
  Timer,
  Timers,
  Transport,
} from "@strandline/platform";
import type { RaftMessage } from "@strandline/raft";
import { type RaftMessage as Envelope, raftMethods } from "@strandline/rpc";
import { decodeRaftMessage, encodeRaftMessage } from "./raft-messages.js";

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 500;

export interface RaftTransportOwner {
  clusterId(): string;
  onMessage(message: RaftMessage): void;
  /** The connection to that node broke, or could not be made. */
  onLost(id: number): void;
}

export class RaftTransport {
  readonly #links = new Map<number, PeerLink>();
  readonly #owner: RaftTransportOwner;
  readonly #logger: Logger;
  readonly #self: number;

  constructor(
    ports: { transport: Transport; timers: Timers; random: Random; logger: Logger },
    options: { self: number; peers: readonly { id: number; address: string }[] },
    owner: RaftTransportOwner,
  ) {
    this.#owner = owner;
    this.#logger = ports.logger;
    this.#self = options.self;
    for (const { id, address } of options.peers) {
      if (id !== options.self) this.#links.set(id, new PeerLink(ports, id, address, owner));
    }
  }

  start(): void {
    for (const link of this.#links.values()) link.start();
  }

  send(message: RaftMessage): void {
    this.#links.get(message.to)?.send(message);
  }

  /** True while the stream to that node is up, as far as this side knows. */
  isConnected(id: number): boolean {
    return this.#links.get(id)?.isConnected ?? false;
  }

  /** The receiving end of another node's stream. */
  receiver(stream: RpcStream<Envelope>): RpcReceiver<Envelope> {
    return {
      onMessage: (envelope) => {
        const own = this.#owner.clusterId();
        if (own !== "" && envelope.clusterId !== "" && envelope.clusterId !== own) {
          stream.abort(
            new BrokerError("INCONSISTENT_CLUSTER_ID", `this controller belongs to cluster ${own}`),
          );
          return;
        }
        if (envelope.to !== this.#self) {
          const text = `this is node ${this.#self}, not node ${envelope.to}`;
          stream.abort(new BrokerError("INVALID_REQUEST", text));
          return;
        }
        try {
          this.#owner.onMessage(decodeRaftMessage(envelope));
        } catch (error) {
          this.#logger.warn(
            { from: envelope.from, error: String(error) },
            "refused a raft message",
          );
          stream.abort(new BrokerError("INVALID_REQUEST", "not a raft message"));
        }
      },
      onEnd: () => stream.end(),
    };
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}

class PeerLink {
  readonly #ports: { transport: Transport; timers: Timers; random: Random };
  readonly #id: number;
  readonly #address: string;
  readonly #owner: RaftTransportOwner;
  #stream: RpcStream<Envelope> | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(
    ports: { transport: Transport; timers: Timers; random: Random },
    id: number,
    address: string,
    owner: RaftTransportOwner,
  ) {
    this.#ports = ports;
    this.#id = id;
    this.#address = address;
    this.#owner = owner;
  }

  get isConnected(): boolean {
    return this.#stream !== undefined && this.#failures === 0;
  }

  start(): void {
    this.#open();
  }

  send(message: RaftMessage): void {
    this.#stream?.send(encodeRaftMessage(message, this.#owner.clusterId()));
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#stream?.abort();
    this.#stream = undefined;
  }

  #open(): void {
    this.#retry = undefined;
    const openedWith = this.#failures;
    const stream: RpcStream<Envelope> = this.#ports.transport.open(
      this.#address,
      raftMethods.exchange,
      {
        onMessage: () => undefined,
        onEnd: () => {
          if (this.#stream === stream) this.#lost();
        },
      },
    );
    this.#stream = stream;
    // It counts as up again once it has lived for a moment.
    this.#ports.timers.after(RETRY_MS_MAX, () => {
      if (this.#stream === stream && this.#failures === openedWith) this.#failures = 0;
    });
  }

  #lost(): void {
    this.#stream = undefined;
    if (this.#isClosed) return;
    this.#failures += 1;
    const boundMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures - 1, 8));
    const delayMs = boundMs / 2 + this.#ports.random.below(Math.ceil(boundMs / 2));
    this.#retry = this.#ports.timers.after(delayMs, () => this.#open());
    this.#owner.onLost(this.#id);
  }
}
