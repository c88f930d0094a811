/**
 * The stream of produce requests to one address: sends batches, matches answers to them, and
 * notices when no answer comes any more.
 */
import type { BrokerError } from "@strandline/model";
import { type RpcStream, type Timer, TransportError } from "@strandline/platform";
import {
  type Acks,
  errorFromProto,
  logMethods,
  type ProduceRequest,
  type ProduceResponse,
} from "@strandline/rpc";
import { asError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import type { PartitionQueue } from "./partition-queue.js";
import type { PendingBatch } from "./pending-batch.js";

export interface ConnectionOwner {
  /** The first answer came. */
  onAlive(connection: ProduceConnection): void;
  onStored(queue: PartitionQueue, batch: PendingBatch, response: ProduceResponse): void;
  onRefused(queue: PartitionQueue, batch: PendingBatch, refusal: Refused): void;
  /** Some request has waited for its answer for long, and still does. Called again and again. */
  onSlow(connection: ProduceConnection): void;
  /** The stream may take more. */
  onWritable(connection: ProduceConnection): void;
  /** The stream ended; `lost` was under way, in the order it was sent. */
  onBroken(connection: ProduceConnection, error: Error, lost: readonly UnderWay[]): void;
}

export interface Refused {
  readonly error: BrokerError;
  /** Who leads now, when the broker said so. */
  readonly leaderId: number | undefined;
}

export interface UnderWay {
  readonly queue: PartitionQueue;
  readonly batch: PendingBatch;
  readonly sentAtMs: number;
}

/** The broker's own timeout should speak first. */
const GRACE_MS = 5_000;
/** An answer that takes longer than this is a reason to ask who leads. */
const SLOW_MS = 2_000;

export class ProduceConnection {
  readonly address: string;
  readonly #ports: ClientPorts;
  readonly #owner: ConnectionOwner;
  readonly #acks: Acks;
  readonly #timeoutMs: number;
  readonly #stream: RpcStream<ProduceRequest>;
  /** By correlation id; the first is the oldest. */
  readonly #underWay = new Map<number, UnderWay>();
  #watch: Timer | undefined;
  #lastCorrelationId = 0;
  #isFull = false;
  #hasAnswered = false;
  #isEnded = false;

  constructor(
    ports: ClientPorts,
    options: { readonly address: string; readonly acks: Acks; readonly timeoutMs: number },
    owner: ConnectionOwner,
  ) {
    this.address = options.address;
    this.#ports = ports;
    this.#owner = owner;
    this.#acks = options.acks;
    this.#timeoutMs = options.timeoutMs;
    this.#stream = ports.transport.open(options.address, logMethods.produceStream, {
      onMessage: (response) => this.#answered(response),
      onDrain: () => {
        this.#isFull = false;
        if (!this.#isEnded) this.#owner.onWritable(this);
      },
      onEnd: (error) => {
        this.#end(error ?? new TransportError("broken", `${this.address} ended the stream`));
      },
    });
  }

  /** False while the stream wants a pause. */
  get isWritable(): boolean {
    return !this.#isFull && !this.#isEnded;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** True once anything came back: then whatever was sent may have arrived. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  send(queue: PartitionQueue, batch: PendingBatch): void {
    const correlationId = ++this.#lastCorrelationId;
    const sentAtMs = this.#ports.clock.monotonicMs();
    this.#underWay.set(correlationId, { queue, batch, sentAtMs });
    this.#watch ??= this.#ports.timers.after(SLOW_MS, () => this.#check());
    const mayGoOn = this.#stream.send({
      correlationId,
      topic: batch.topic,
      partition: batch.partition,
      acks: this.#acks,
      timeoutMs: this.#timeoutMs,
      records: [],
      batch: batch.bytes,
      forwarded: false,
    });
    if (!mayGoOn) this.#isFull = true;
  }

  /** Ends the stream at once, without a word to the owner. Idempotent. */
  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#watch?.cancel();
    this.#underWay.clear();
    this.#stream.abort();
  }

  #answered(response: ProduceResponse): void {
    if (this.#isEnded) return;
    if (!this.#hasAnswered) {
      this.#hasAnswered = true;
      this.#owner.onAlive(this);
    }
    const underWay = this.#underWay.get(response.correlationId);
    if (underWay === undefined) return;
    this.#underWay.delete(response.correlationId);
    const { queue, batch } = underWay;
    if (response.error === undefined) {
      this.#owner.onStored(queue, batch, response);
    } else {
      const error = errorFromProto(response.error);
      this.#owner.onRefused(queue, batch, { error, leaderId: response.leaderId });
    }
  }

  /** Requests that have waited for their answer for long. */
  slow(): readonly UnderWay[] {
    const sentBeforeMs = this.#ports.clock.monotonicMs() - SLOW_MS;
    return [...this.#underWay.values()].filter((each) => each.sentAtMs <= sentBeforeMs);
  }

  /** Ends the stream as if it had broken. */
  giveUp(error: Error): void {
    this.#stream.abort();
    this.#end(error);
  }

  /** A connection that is up but says nothing is as good as broken. */
  #check(): void {
    this.#watch = undefined;
    const [oldest] = this.#underWay.values();
    if (oldest === undefined) return;
    const ageMs = this.#ports.clock.monotonicMs() - oldest.sentAtMs;
    const limitMs = this.#timeoutMs + GRACE_MS;
    if (ageMs >= limitMs) {
      const message = `${this.address} did not answer in ${limitMs} ms`;
      this.giveUp(new TransportError("timeout", message));
      return;
    }
    const nextMs = ageMs < SLOW_MS ? SLOW_MS - ageMs : Math.min(SLOW_MS, limitMs - ageMs);
    this.#watch = this.#ports.timers.after(Math.ceil(nextMs), () => this.#check());
    if (ageMs >= SLOW_MS) this.#owner.onSlow(this);
  }

  #end(error: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#watch?.cancel();
    const lost = [...this.#underWay.values()];
    this.#underWay.clear();
    this.#owner.onBroken(this, asError(error), lost);
  }
}
