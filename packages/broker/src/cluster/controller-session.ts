/**
 * The broker's standing with the active controller: registers, sends heartbeats, learns whether it
 * is fenced, and hands metadata commands over. Finds the controller again whenever it moves.
 */
import { encodeCommand, type KafkaListener, type MetadataCommand } from "@strandline/metadata";
import { type BrokerEpoch, BrokerError, type ClusterId } from "@strandline/model";
import {
  type Clock,
  type Logger,
  type RpcStream,
  type Timer,
  type Timers,
  type Transport,
  TransportError,
} from "@strandline/platform";
import {
  type BrokerMessage,
  type ControllerMessage,
  controllerMethods,
  type QuorumDescription,
} from "@strandline/rpc";
import type { BrokerConfig } from "../broker-config.js";

const RETRY_MS = 50;
const SUBMIT_ATTEMPT_MS = 5_000;
const HAND_OVER_POLL_MS = 50;
/** Longer than a new controller needs to be found. */
const ALONE_MS_MAX = 1_500;

/** What the session asks of the broker that owns it. */
export interface SessionOwner {
  /** Address of the active controller, undefined while unknown. */
  controllerAddress(): string | undefined;
  clusterId(): ClusterId | undefined;
  /** Metadata that this broker has put into effect, exclusive. */
  appliedOffset(): number;
  isFailed(): boolean;
  kafkaListeners(): readonly KafkaListener[];
  onRegistered(epoch: BrokerEpoch): void;
  /** The cluster refuses this broker for good. */
  onRefused(error: BrokerError): void;
}

export class ControllerSession {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #transport: Transport;
  readonly #logger: Logger;
  readonly #config: BrokerConfig;
  readonly #owner: SessionOwner;
  #stream: RpcStream<BrokerMessage> | undefined;
  #address = "";
  #timer: Timer | undefined;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #brokerEpoch: BrokerEpoch | undefined;
  #isFenced = true;
  #wantsStop = false;
  #onMayStop: (() => void) | undefined;
  #isClosed = false;

  constructor(
    ports: { clock: Clock; timers: Timers; transport: Transport; logger: Logger },
    config: BrokerConfig,
    owner: SessionOwner,
  ) {
    this.#clock = ports.clock;
    this.#timers = ports.timers;
    this.#transport = ports.transport;
    this.#logger = ports.logger;
    this.#config = config;
    this.#owner = owner;
  }

  /** Undefined until the first registration was answered. */
  get brokerEpoch(): BrokerEpoch | undefined {
    return this.#brokerEpoch;
  }

  /** True while the controller has not (or no longer) admitted this broker. */
  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** False once the controller was silent for a session: others may lead by now. */
  get isLive(): boolean {
    return this.#clock.monotonicMs() - this.#answeredAtMs <= this.#config.sessionMsMax;
  }

  start(): void {
    this.#beat();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#stream?.end();
    this.#stream?.abort();
    this.#stream = undefined;
  }

  /** Says something has changed that the controller waits for (metadata applied, a failure). */
  beatSoon(): void {
    if (this.#isClosed || this.#stream === undefined) return;
    this.#sendHeartbeat(this.#stream);
  }

  /**
   * Asks the controller to move leaderships away. Resolves with true when it has, with false after
   * `timeoutMs`, or when no controller is to be had: the last node of a cluster has nobody to ask.
   */
  async handOver(timeoutMs: number): Promise<boolean> {
    this.#wantsStop = true;
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
    let mayStop = false;
    this.#onMayStop = () => {
      mayStop = true;
    };
    this.beatSoon();
    let aloneSinceMs = Number.POSITIVE_INFINITY;
    while (!mayStop && this.#clock.monotonicMs() < deadlineMs) {
      await this.#sleep(HAND_OVER_POLL_MS);
      const nowMs = this.#clock.monotonicMs();
      if (this.#stream !== undefined) aloneSinceMs = Number.POSITIVE_INFINITY;
      else aloneSinceMs = Math.min(aloneSinceMs, nowMs);
      if (nowMs - aloneSinceMs > ALONE_MS_MAX) return false;
      this.beatSoon();
    }
    return mayStop;
  }

  /**
   * Runs one command on the active controller, looking for it until `timeoutMs` has passed. Throws
   * the command's refusal, or REQUEST_TIMED_OUT when no controller answered in time.
   */
  async submit(
    command: MetadataCommand,
    timeoutMs: number,
  ): Promise<{ response: unknown; metadataOffset: number }> {
    const clusterId = this.#owner.clusterId() ?? "";
    const encoded = encoder.encode(JSON.stringify(encodeCommand(command)));
    const answer = await this.#onController(timeoutMs, async (address, attemptMs) => {
      const request = { clusterId, command: encoded, timeoutMs: attemptMs };
      const options = { timeoutMs: attemptMs };
      return await this.#transport.call(address, controllerMethods.submit, request, options);
    });
    return {
      response: JSON.parse(decoder.decode(answer.response)) as unknown,
      metadataOffset: answer.metadataOffset,
    };
  }

  /** The controllers' log as the active one sees it. Throws REQUEST_TIMED_OUT as `submit` does. */
  async describeQuorum(timeoutMs: number): Promise<QuorumDescription> {
    const request = { clusterId: this.#owner.clusterId() ?? "" };
    return await this.#onController(timeoutMs, async (address, attemptMs) => {
      const options = { timeoutMs: attemptMs };
      return await this.#transport.call(
        address,
        controllerMethods.describeQuorum,
        request,
        options,
      );
    });
  }

  /** Asks the active controller, wherever it moves, until it has answered or time is up. */
  async #onController<Answer>(
    timeoutMs: number,
    ask: (address: string, attemptMs: number) => Promise<Answer>,
  ): Promise<Answer> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
    let last: Error | undefined;
    for (;;) {
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (leftMs <= 0 || this.#isClosed) {
        throw new BrokerError("REQUEST_TIMED_OUT", "no controller answered in time", {
          cause: last,
        });
      }
      const address = this.#owner.controllerAddress();
      if (address !== undefined) {
        try {
          const attemptMs = Math.ceil(Math.min(leftMs, SUBMIT_ATTEMPT_MS));
          return await ask(address, attemptMs);
        } catch (error) {
          if (!isControllerMove(error)) throw error;
          last = error as Error;
        }
      }
      await this.#sleep(RETRY_MS);
    }
  }

  async #sleep(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#timers.after(delayMs, resolve);
    });
  }

  #beat(): void {
    if (this.#isClosed) return;
    const address = this.#owner.controllerAddress();
    if (this.#stream !== undefined && address !== undefined && address !== this.#address) {
      // The controller has moved: the old one will not answer for the cluster again.
      const old = this.#stream;
      this.#stream = undefined;
      old.abort();
    }
    if (this.#stream === undefined && address !== undefined) this.#open(address);
    else if (this.#stream !== undefined) this.#sendHeartbeat(this.#stream);
    const delayMs = this.#stream === undefined ? RETRY_MS : this.#config.heartbeatMs;
    this.#timer?.cancel();
    this.#timer = this.#timers.after(delayMs, () => this.#beat());
  }

  /** The active controller is another one now; registers there without waiting for a beat. */
  controllerMoved(): void {
    if (!this.#isClosed && this.#owner.controllerAddress() !== undefined) this.#beat();
  }

  #open(address: string): void {
    this.#address = address;
    const stream: RpcStream<BrokerMessage> = this.#transport.open(
      address,
      controllerMethods.session,
      {
        onMessage: (message) => {
          if (this.#stream === stream) this.#answered(message);
        },
        onEnd: (error) => {
          if (this.#stream === stream) this.#lost(error);
        },
      },
    );
    this.#stream = stream;
    const config = this.#config;
    stream.send({
      registration: {
        nodeId: config.nodeId,
        clusterId: this.#owner.clusterId() ?? "",
        directoryId: config.directoryId,
        incarnationId: config.incarnationId,
        address: config.address,
        peerAddress: config.peerAddress,
        kafkaListeners: [...this.#owner.kafkaListeners()],
        rack: config.rack,
        version: config.version,
        settings: config.settings.shared,
        cleanShutdownEpoch: config.cleanShutdownEpoch,
        replaceDirectory: config.replaceDirectory,
      },
    });
  }

  #sendHeartbeat(stream: RpcStream<BrokerMessage>): void {
    if (this.#brokerEpoch === undefined) return;
    stream.send({
      heartbeat: {
        metadataOffset: this.#owner.appliedOffset(),
        wantsStop: this.#wantsStop,
        isFailed: this.#owner.isFailed(),
      },
    });
  }

  #answered(message: ControllerMessage): void {
    this.#answeredAtMs = this.#clock.monotonicMs();
    this.#isFenced = message.isFenced;
    if (this.#brokerEpoch !== undefined && message.brokerEpoch !== this.#brokerEpoch) {
      // The cluster had removed this broker meanwhile: what it leads and follows is another's now.
      const reason = `the cluster knows this process in broker epoch ${message.brokerEpoch} now; start it again`;
      this.#owner.onRefused(new BrokerError("STALE_BROKER_EPOCH", reason));
      return;
    }
    if (this.#brokerEpoch === undefined && message.brokerEpoch >= 0) {
      this.#brokerEpoch = message.brokerEpoch as BrokerEpoch;
      this.#owner.onRegistered(this.#brokerEpoch);
    }
    if (message.mayStop) this.#onMayStop?.();
  }

  #lost(error: Error | undefined): void {
    this.#stream = undefined;
    if (this.#isClosed) return;
    if (error instanceof BrokerError && !error.retriable) {
      this.#owner.onRefused(error);
      return;
    }
    this.#logger.debug({ error: error?.message }, "controller session ended; opening it again");
    this.#timer?.cancel();
    this.#timer = this.#timers.after(RETRY_MS, () => this.#beat());
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** True when another controller, or the same one later, may run the command. */
function isControllerMove(error: unknown): boolean {
  if (error instanceof TransportError) return error.reason !== "aborted";
  return error instanceof BrokerError && error.code === "NOT_CONTROLLER";
}
