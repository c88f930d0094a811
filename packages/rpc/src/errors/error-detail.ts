/** A refusal as a message, and back: inside a stream's answer, and as the detail of a status. */
import { BrokerError, type ErrorCode, isErrorCode, type Refusal } from "@strandline/model";
import type { ErrorDetail } from "../generated/error.js";

/** What a peer is told of a failure that is not a refusal: never its text. */
export const UNKNOWN_FAILURE = "the server failed while it handled the request";

/**
 * Longest text that goes to a peer, in characters: it also travels in a header, percent-encoded,
 * and the peer bounds what it takes.
 */
const MESSAGE_LENGTH_MAX = 1000;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** An error as a message. Anything but a refusal becomes UNKNOWN_SERVER_ERROR without its text. */
export function errorToProto(error: unknown): ErrorDetail {
  const { code, message } = refusalOf(error);
  return { code, message: message.slice(0, MESSAGE_LENGTH_MAX), retriable: isRetriable(code) };
}

/** A {@link Refusal} of a core as a message. */
export function refusalToProto(refusal: Refusal): ErrorDetail {
  return errorToProto(new BrokerError(refusal.code, refusal.message));
}

/** The refusal a message stands for. A name that this version does not know keeps its text. */
export function errorFromProto(detail: ErrorDetail): BrokerError {
  if (isErrorCode(detail.code)) return new BrokerError(detail.code, detail.message);
  const message = `${detail.code.slice(0, 100)}: ${detail.message}`;
  return new BrokerError("UNKNOWN_SERVER_ERROR", message);
}

/** Text that a header can carry: whole characters only. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, "\u{fffd}");
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof BrokerError)) {
    return { code: "UNKNOWN_SERVER_ERROR", message: UNKNOWN_FAILURE };
  }
  return { code: error.code, message: wellFormed(error.message) };
}

function isRetriable(code: ErrorCode): boolean {
  return new BrokerError(code, "").retriable;
}
