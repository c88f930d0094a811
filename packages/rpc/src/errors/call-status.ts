/** How a call's end travels: an error becomes a gRPC status on one side and an error on the other. */
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { BrokerError } from "@strandline/model";
import { TransportError } from "@strandline/platform";
import { DecodeError } from "../wire/decode-error.js";
import { errorFromProto, errorToProto } from "./error-detail.js";
import { statusCodeOf } from "./status-codes.js";
import { decodeStatusDetails, encodeStatusDetails, STATUS_DETAILS_KEY } from "./status-details.js";

export const OK_STATUS = { code: status.OK, details: "" } as const;
/** One side gave up the call. */
export const ABORTED_STATUS = { code: status.CANCELLED, details: "aborted" } as const;
/** The process is about to stop; the caller may go on elsewhere. */
export const CLOSING_STATUS = { code: status.UNAVAILABLE, details: "the server closes" } as const;

/** The status that tells a peer of `error`: a refusal with its detail, anything else without text. */
export function statusOf(error: unknown): StatusObject {
  const refusal = error instanceof DecodeError ? malformed(error) : error;
  const detail = errorToProto(refusal);
  const code = refusal instanceof BrokerError ? statusCodeOf(refusal.code) : status.INTERNAL;
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS_KEY, encodeStatusDetails(code, detail));
  return { code, details: detail.message, metadata };
}

/** True for failures that are nobody's request gone wrong: they are logged with their cause. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof BrokerError || error instanceof DecodeError);
}

/** What a caller is told of a call to `address` that ended with a status other than OK. */
export function errorOfStatus(ended: StatusObject, address: string): Error {
  const detail = detailOf(ended);
  if (detail !== undefined) return errorFromProto(detail);
  const known = FAILURES.get(ended.code);
  return known === undefined ? connectionError(ended, address) : known(address);
}

/** Ends that say what happened by themselves. */
const FAILURES: ReadonlyMap<status, (address: string) => Error> = new Map([
  [status.DEADLINE_EXCEEDED, timedOut],
  [status.CANCELLED, aborted],
  [status.ABORTED, aborted],
  [status.UNIMPLEMENTED, unserved],
]);

function timedOut(address: string): Error {
  return new TransportError("timeout", `${address} did not answer in time`);
}

function aborted(address: string): Error {
  return new TransportError("aborted", `the call to ${address} was aborted`);
}

function unserved(address: string): Error {
  return new BrokerError("UNSUPPORTED_VERSION", `${address} does not serve this method`);
}

function connectionError(ended: StatusObject, address: string): TransportError {
  const why = ended.details === "" ? `status ${ended.code}` : ended.details;
  const reason = isNeverConnected(ended) ? "unreachable" : "broken";
  const what = reason === "unreachable" ? `cannot reach ${address}` : `${address} broke off`;
  return new TransportError(reason, `${what}: ${why}`);
}

/**
 * grpc-js has one status for a connection that was never made and for one that was lost, and tells
 * them apart only in words. To be wrong here does no harm: with either reason the peer may or may
 * not have acted. A test holds the words to those of the installed version.
 */
function isNeverConnected(ended: StatusObject): boolean {
  return /No connection established|Name resolution failed|^Failed to start|Channel (has been|closed)/.test(
    ended.details,
  );
}

function detailOf(ended: StatusObject): ReturnType<typeof decodeStatusDetails> {
  const [value] = ended.metadata.get(STATUS_DETAILS_KEY);
  if (!Buffer.isBuffer(value)) return undefined;
  try {
    return decodeStatusDetails(value);
  } catch {
    // A peer that garbles its details still ended the call; the status alone has to do.
    return undefined;
  }
}

function malformed(error: DecodeError): BrokerError {
  return new BrokerError("INVALID_REQUEST", `malformed message: ${error.message}`);
}
