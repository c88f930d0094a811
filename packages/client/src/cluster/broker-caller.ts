/**
 * Unary calls that any broker may answer: tries one address after the other until one does, within
 * one deadline for everything.
 */
import { BrokerError } from "@strandline/model";
import { type RpcMethod, TransportError } from "@strandline/platform";
import { backoffMs } from "../backoff.js";
import type { ResolvedClientOptions } from "../client-options.js";
import { abortedError, asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { anySignal, sleep } from "../waits.js";
import type { AddressBook } from "./address-book.js";

/** One attempt at one address gives up after this, so that the next address gets its turn. */
const ATTEMPT_MS_MAX = 10_000;
/** The same for what a broker answers from its memory. */
const QUICK_ATTEMPT_MS_MAX = 3_000;

export interface BrokerCallOptions {
  /** For the call with all its attempts; the client's `requestTimeoutMs` unless given. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CallPolicy {
  /** True when doing it twice is the same as doing it once: then a lost answer is retried. */
  readonly isRepeatable: boolean;
  /** True when the answer comes from a broker that may learn of a topic late. */
  readonly mayLag: boolean;
  /** True when a broker that works answers at once. */
  readonly isQuick?: boolean | undefined;
}

interface Attempts {
  readonly policy: CallPolicy;
  readonly startMs: number;
  readonly deadlineMs: number;
  failures: number;
}

export class BrokerCaller {
  readonly #ports: ClientPorts;
  readonly #options: ResolvedClientOptions;
  readonly #addresses: AddressBook;
  readonly #closing = new AbortController();

  constructor(ports: ClientPorts, options: ResolvedClientOptions, addresses: AddressBook) {
    this.#ports = ports;
    this.#options = options;
    this.#addresses = addresses;
  }

  /**
   * Calls a method of some broker. Throws the broker's refusal; `UNAVAILABLE` when none answered
   * in time, or when a call that must not be repeated was cut off; `ABORTED`, `CLIENT_CLOSED`.
   */
  async call<Request, Response>(
    method: RpcMethod<Request, Response>,
    request: Request,
    policy: CallPolicy,
    options: BrokerCallOptions = {},
  ): Promise<Response> {
    const { clock } = this.#ports;
    const startMs = clock.monotonicMs();
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs;
    const attempts: Attempts = { policy, startMs, deadlineMs: startMs + timeoutMs, failures: 0 };
    const either = anySignal([options.signal, this.#closing.signal]);
    try {
      for (;;) {
        const result = await this.#round(method, request, attempts, either.signal);
        if ("response" in result) return result.response;
        this.#refuseEnded(options.signal);
        await this.#pause(attempts, result.error, either.signal);
      }
    } catch (error) {
      this.#refuseEnded(options.signal);
      throw error;
    } finally {
      either.release();
    }
  }

  /** Asks one address, once. */
  async callOne<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const options = { timeoutMs, signal: this.#closing.signal };
    const response = await this.#ports.transport.call(address, method, request, options);
    this.#addresses.noteReachable(address);
    return response;
  }

  /** Ends every call that is under way with `CLIENT_CLOSED`. */
  close(): void {
    this.#closing.abort();
  }

  /** Every address once. Returns the last failure when it may be tried again; throws others. */
  async #round<Request, Response>(
    method: RpcMethod<Request, Response>,
    request: Request,
    attempts: Attempts,
    signal: AbortSignal,
  ): Promise<{ readonly response: Response } | { readonly error: Error }> {
    let lastError: Error | undefined;
    for (const address of this.#addresses.candidates()) {
      const leftMs = attempts.deadlineMs - this.#ports.clock.monotonicMs();
      if (leftMs <= 0 || signal.aborted) break;
      try {
        const timeoutMs = Math.min(leftMs, attemptMsMax(attempts.policy));
        const options = { timeoutMs, signal };
        const response = await this.#ports.transport.call(address, method, request, options);
        this.#addresses.noteReachable(address);
        return { response };
      } catch (error) {
        if (signal.aborted) break;
        lastError = this.#retriable(error, address, attempts);
        // A refusal is the cluster's answer; another broker would say the same right now.
        if (lastError instanceof BrokerError) break;
      }
    }
    return { error: lastError ?? new ClientError("UNAVAILABLE", "the deadline has passed") };
  }

  /** Returns the failure when the call may be made again; throws it otherwise. */
  #retriable(error: unknown, address: string, attempts: Attempts): Error {
    if (error instanceof BrokerError) {
      this.#addresses.passOver(address);
      if (!this.#mayRepeat(error, attempts)) throw error;
      return error;
    }
    if (!(error instanceof TransportError)) throw asError(error);
    if (error.reason === "unreachable") {
      this.#addresses.noteUnreachable(address);
      return error;
    }
    this.#addresses.passOver(address);
    if (attempts.policy.isRepeatable) return error;
    throw new ClientError("UNAVAILABLE", `${address} did not answer: it may have acted`, {
      cause: error,
    });
  }

  #mayRepeat(error: BrokerError, { policy, startMs }: Attempts): boolean {
    if (error.code === "UNKNOWN_TOPIC_OR_PARTITION" || error.code === "UNKNOWN_TOPIC_ID") {
      const waitedMs = this.#ports.clock.monotonicMs() - startMs;
      return policy.mayLag && waitedMs < this.#options.topicWaitMs;
    }
    return error.retriable && (policy.isRepeatable || !mayHaveActed(error));
  }

  async #pause(attempts: Attempts, error: Error, signal: AbortSignal): Promise<void> {
    attempts.failures += 1;
    const waitMs = backoffMs(this.#ports.random, this.#options, attempts.failures);
    if (this.#ports.clock.monotonicMs() + waitMs >= attempts.deadlineMs) {
      if (error instanceof BrokerError) throw error;
      throw new ClientError("UNAVAILABLE", "no broker answered in time", { cause: error });
    }
    await sleep(this.#ports.timers, waitMs, signal);
  }

  #refuseEnded(signal: AbortSignal | undefined): void {
    if (this.#closing.signal.aborted)
      throw new ClientError("CLIENT_CLOSED", "the client is closed");
    if (signal?.aborted === true) throw abortedError(signal);
  }
}

function attemptMsMax({ isQuick, isRepeatable }: CallPolicy): number {
  if (isQuick === true) return QUICK_ATTEMPT_MS_MAX;
  // No other address gets a turn after it, so it has all the time that the caller gives.
  return isRepeatable ? ATTEMPT_MS_MAX : Number.POSITIVE_INFINITY;
}

/** Refusals that do not say whether the request was carried out. */
function mayHaveActed(error: BrokerError): boolean {
  return error.code === "REQUEST_TIMED_OUT" || error.code === "NETWORK_EXCEPTION";
}
