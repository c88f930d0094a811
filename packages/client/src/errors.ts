/**
 * What goes wrong on the client's own side. A broker's refusal stays a `BrokerError`; both have
 * `code`, `retriable` and `cause`, so that a caller can treat them alike.
 */

const CLIENT_ERROR_CODES = {
  /** The producer, consumer or client was closed. */
  CLIENT_CLOSED: { retriable: false },
  /** The caller's AbortSignal fired; its reason is the cause. */
  ABORTED: { retriable: false },
  /** Records stayed unacknowledged for the whole delivery timeout. */
  DELIVERY_TIMED_OUT: { retriable: true },
  /** An earlier record of the partition failed, and whether this one was stored is unknown. */
  OUTCOME_UNKNOWN: { retriable: true },
  /** The producer's buffer stayed full, or too much waited for room already. */
  BUFFER_FULL: { retriable: true },
  /** No broker could be reached, or none answered, within the deadline. */
  UNAVAILABLE: { retriable: true },
  /** An argument or an option makes no sense; nothing was done. */
  INVALID_ARGUMENT: { retriable: false },
} as const satisfies Record<string, { readonly retriable: boolean }>;

export type ClientErrorCode = keyof typeof CLIENT_ERROR_CODES;

export interface ClientErrorOptions extends ErrorOptions {
  /** True when the records of a failed send may have been stored all the same. */
  readonly mayBeStored?: boolean;
}

export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  /** True when the records of a failed send may have been stored all the same. */
  readonly mayBeStored: boolean;

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.mayBeStored = options.mayBeStored ?? false;
  }

  /** True when the same call may succeed later without the caller changing it. */
  get retriable(): boolean {
    return CLIENT_ERROR_CODES[this.code].retriable;
  }
}

/** The error of a call whose signal fired. */
export function abortedError(signal: AbortSignal): ClientError {
  return new ClientError("ABORTED", "the caller gave up", { cause: signal.reason });
}

/** Anything thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
