/**
 * The Kafka door of a broker: takes connections once the cluster has admitted the broker, and looks
 * after them. A client that comes too early is refused at once, and tries another broker.
 */
import {
  type BrokerSettings,
  type KafkaArrival,
  kafkaEndpoint,
  type MetadataImage,
} from "@strandline/metadata";
import type { NodeId } from "@strandline/model";
import type {
  BufferPool,
  ByteConnection,
  ByteReceiver,
  Clock,
  Logger,
  Timer,
  Timers,
} from "@strandline/platform";
import { KafkaConnection } from "./connection.js";
import { KafkaDispatcher } from "./dispatcher.js";
import { FrameBudget } from "./frame-budget.js";
import type { KafkaHandlers, KafkaListenerView, KafkaProduce } from "./handler.js";

const SWEEP_MS = 30_000;
/** For large requests that are being read or not yet answered, of all connections together. */
const REQUEST_BYTES_MAX = 256 * 1024 * 1024;

export interface KafkaFrontendPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly buffers: BufferPool;
}

export interface KafkaFrontendParts {
  readonly nodeId: NodeId;
  /** Where other nodes reach this one: "host:port". */
  readonly peerAddress: string;
  readonly settings: BrokerSettings;
  readonly handlers: KafkaHandlers;
  readonly produce: KafkaProduce | undefined;
  image(): MetadataImage;
  isReady(): boolean;
}

export class KafkaFrontend {
  readonly #ports: KafkaFrontendPorts;
  readonly #parts: KafkaFrontendParts;
  readonly #dispatcher: KafkaDispatcher;
  readonly #connections = new Set<KafkaConnection>();
  readonly #budget = new FrameBudget(REQUEST_BYTES_MAX);
  #isOpen = false;
  #isClosed = false;
  #sweep: Timer | undefined;

  constructor(ports: KafkaFrontendPorts, parts: KafkaFrontendParts) {
    this.#ports = ports;
    this.#parts = parts;
    this.#dispatcher = new KafkaDispatcher(parts.handlers, parts.produce);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** A client connected to the listener of this name; undefined refuses it. */
  accept(listener: string, connection: ByteConnection): ByteReceiver | undefined {
    if (this.#isClosed) return undefined;
    // Once, not each time: a broker that lost its controller for a while still knows the rest.
    this.#isOpen ||= this.#parts.isReady();
    if (!this.#isOpen) return undefined;
    const { clock, logger, buffers } = this.#ports;
    const accepted = new KafkaConnection(connection, {
      dispatcher: this.#dispatcher,
      listener: this.#viewOf(listener, connection),
      clock,
      logger,
      frameBytesMax: this.#parts.settings.number("socket.request.max.bytes"),
      budget: this.#budget,
      buffers,
      onClosed: (closed) => this.#connections.delete(closed),
    });
    this.#connections.add(accepted);
    this.#sweep ??= this.#ports.timers.after(SWEEP_MS, () => this.#closeIdle());
    return accepted;
  }

  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    for (const connection of [...this.#connections]) connection.close();
  }

  #viewOf(listener: string, connection: ByteConnection): KafkaListenerView {
    const { nodeId, peerAddress } = this.#parts;
    const arrival: KafkaArrival = {
      listener,
      local: { host: connection.localHost, port: connection.localPort },
      self: { id: nodeId, peerAddress },
    };
    return {
      endpointOf: (id) => {
        const node = this.#parts.image().nodes.get(id as NodeId);
        return node === undefined ? undefined : kafkaEndpoint(node, arrival);
      },
    };
  }

  #closeIdle(): void {
    this.#sweep = undefined;
    const idleMsMax = this.#parts.settings.number("connections.max.idle.ms");
    const nowMs = this.#ports.clock.monotonicMs();
    const isWaited = this.#budget.hasWaiting;
    for (const connection of [...this.#connections]) {
      const isIdle = idleMsMax >= 0 && connection.activeMs <= nowMs - idleMsMax;
      if (isIdle || (isWaited && connection.isStalling(nowMs))) connection.close();
    }
    if (this.#isClosed || this.#connections.size === 0) return;
    this.#sweep = this.#ports.timers.after(SWEEP_MS, () => this.#closeIdle());
  }
}
