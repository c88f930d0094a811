/** Under which identity a producer numbers its batches, and how it comes by a new one. */
import { logMethods } from "@strandline/rpc";
import { type BackoffOptions, backoffMs } from "../backoff.js";
import type { BrokerCaller } from "../cluster/broker-caller.js";
import { asError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { sleep } from "../waits.js";

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Counts the identities of this producer, from 1 on. A partition only ever moves to later. */
  readonly generation: number;
}

/** The header of a batch has 16 bits for it. */
const PRODUCER_EPOCH_MAX = 2 ** 15 - 1;

/** An unused identity costs nothing, so a lost answer is simply asked for again. */
const POLICY = { isRepeatable: true, mayLag: false } as const;

/**
 * Holds the latest identity. A partition whose sequence numbers are spoilt asks for a later one;
 * the others stay with theirs, because brokers number each partition by itself.
 *
 * A later identity is the same producer in its next epoch: nobody else has its id, so no broker need
 * be asked. What was given up under an earlier epoch may still wait in some buffer; once the later
 * epoch is in the log, brokers refuse it. Under another id they would store it, behind records that
 * were sent after it.
 */
export class ProducerIdentities {
  readonly #ports: ClientPorts;
  readonly #caller: BrokerCaller;
  readonly #options: BackoffOptions;
  readonly #onChange: () => void;
  readonly #closing = new AbortController();
  #latest: ProducerIdentity | undefined;
  #isAsking = false;

  constructor(
    ports: ClientPorts,
    options: BackoffOptions,
    parts: { readonly caller: BrokerCaller; readonly onChange: () => void },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#caller = parts.caller;
    this.#onChange = parts.onChange;
  }

  get latest(): ProducerIdentity | undefined {
    return this.#latest;
  }

  /** Asks for an identity later than `generation`, unless there is one or it is being asked for. */
  request(generation: number): void {
    if (this.#isAsking || this.#closing.signal.aborted) return;
    if (this.#latest !== undefined && this.#latest.generation > generation) return;
    this.#isAsking = true;
    this.#renew(generation + 1).catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#ports.logger.error({ error: asError(error).message }, "producer identity failed");
    });
  }

  close(): void {
    this.#closing.abort();
  }

  async #renew(generation: number): Promise<void> {
    const latest = this.#latest;
    if (latest !== undefined && latest.producerEpoch < PRODUCER_EPOCH_MAX) {
      // Not before the caller is done: it has just begun to wait for this.
      await Promise.resolve();
      if (this.#closing.signal.aborted) return;
      const { producerId, producerEpoch } = latest;
      this.#latest = { producerId, producerEpoch: producerEpoch + 1, generation };
    } else {
      await this.#ask(generation);
    }
    this.#isAsking = false;
    this.#onChange();
  }

  async #ask(generation: number): Promise<void> {
    const signal = this.#closing.signal;
    for (let failures = 1; ; failures++) {
      try {
        const call = this.#caller.call(logMethods.initProducerId, {}, POLICY, { signal });
        const { producerId, producerEpoch } = await call;
        this.#latest = { producerId, producerEpoch, generation };
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        this.#ports.logger.warn({ error: asError(error).message }, "no producer identity yet");
      }
      // Batches wait meanwhile, each until its own deadline; only closing ends the asking.
      await sleep(
        this.#ports.timers,
        backoffMs(this.#ports.random, this.#options, failures),
        signal,
      );
    }
  }
}
