/**
 * Passes produce requests on to the brokers that lead: one stream per leader, so that requests for
 * one partition keep their order.
 */
import { BrokerError } from "@strandline/model";
import {
  type Clock,
  keep,
  type RpcStream,
  type Timer,
  type Timers,
  type Transport,
} from "@strandline/platform";
import {
  errorFromProto,
  logMethods,
  type ProduceRequest,
  type ProduceResponse,
} from "@strandline/rpc";

export type OnAnswer = (
  error: BrokerError | undefined,
  response: ProduceResponse | undefined,
) => void;

interface Pending {
  /** The caller's, put back into the answer. */
  readonly correlationId: number;
  readonly onAnswer: OnAnswer;
  readonly deadlineMs: number;
}

/** More than the leader itself would take: the leader's own timeout should speak first. */
const GRACE_MS = 2_000;
const SWEEP_MS = 1_000;

export class ProduceForwarder {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #streams = new Map<string, ForwardStream>();
  #sweep: Timer | undefined;
  #isClosed = false;

  constructor(ports: { transport: Transport; clock: Clock; timers: Timers }) {
    this.#transport = ports.transport;
    this.#clock = ports.clock;
    this.#timers = ports.timers;
  }

  send(address: string, request: ProduceRequest, timeoutMs: number, onAnswer: OnAnswer): void {
    if (this.#isClosed) {
      onAnswer(new BrokerError("BROKER_NOT_AVAILABLE", "this broker is stopping"), undefined);
      return;
    }
    let stream = this.#streams.get(address);
    if (stream === undefined) {
      stream = new ForwardStream(this.#transport, address, () => this.#streams.delete(address));
      this.#streams.set(address, stream);
    }
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs + GRACE_MS;
    stream.send(request, { correlationId: request.correlationId, onAnswer, deadlineMs });
    this.#sweep ??= this.#timers.after(SWEEP_MS, () => this.#expire());
  }

  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    for (const stream of [...this.#streams.values()]) stream.close();
  }

  #expire(): void {
    this.#sweep = undefined;
    const nowMs = this.#clock.monotonicMs();
    let waiting = 0;
    for (const stream of this.#streams.values()) waiting += stream.expire(nowMs);
    if (waiting > 0 && !this.#isClosed) {
      this.#sweep = this.#timers.after(SWEEP_MS, () => this.#expire());
    }
  }
}

class ForwardStream {
  readonly #stream: RpcStream<ProduceRequest>;
  readonly #pending = new Map<number, Pending>();
  readonly #onGone: () => void;
  #lastId = 0;

  constructor(transport: Transport, address: string, onGone: () => void) {
    this.#onGone = onGone;
    this.#stream = transport.open(address, logMethods.produceStream, {
      onMessage: (response) => this.#answered(response),
      onEnd: (error) => this.#ended(error),
    });
  }

  send(request: ProduceRequest, pending: Pending): void {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, pending);
    keepBytes(request);
    this.#stream.send({ ...request, correlationId: this.#lastId, forwarded: true });
  }

  /** Gives up what is overdue; returns how many still wait. */
  expire(nowMs: number): number {
    for (const [id, pending] of this.#pending) {
      if (pending.deadlineMs > nowMs) continue;
      this.#pending.delete(id);
      pending.onAnswer(
        new BrokerError("REQUEST_TIMED_OUT", "the leader did not answer in time"),
        undefined,
      );
    }
    return this.#pending.size;
  }

  close(): void {
    this.#stream.abort();
    this.#ended(undefined);
  }

  #answered(response: ProduceResponse): void {
    const pending = this.#pending.get(response.correlationId);
    if (pending === undefined) return;
    this.#pending.delete(response.correlationId);
    if (response.error !== undefined) pending.onAnswer(errorFromProto(response.error), undefined);
    else pending.onAnswer(undefined, { ...response, correlationId: pending.correlationId });
  }

  #ended(error: Error | undefined): void {
    this.#onGone();
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of lost) {
      pending.onAnswer(
        new BrokerError("NETWORK_EXCEPTION", "the way to the leader broke before it answered", {
          cause: error,
        }),
        undefined,
      );
    }
  }
}

/** All of it is one message, and waits in a queue for the network. */
function keepBytes({ batch, records }: ProduceRequest): void {
  keep(batch as Uint8Array);
  for (const { key, value, headers } of records) {
    for (const bytes of [key, value, ...headers.map((header) => header.value)]) {
      if (bytes !== undefined) keep(bytes);
    }
  }
}
