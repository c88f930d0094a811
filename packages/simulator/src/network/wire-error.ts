/** What of an error crosses between two processes, as `Transport` promises it. */
import { BrokerError, type ErrorCode } from "@strandline/model";
import { TransportError } from "@strandline/platform";

export type WireError =
  | { readonly kind: "refusal"; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "transport"; readonly reason: TransportError["reason"] };

/** A server's error on its way out: a refusal as it is, anything else without its text. */
export function toWire(error: Error | undefined): WireError {
  if (error === undefined) return { kind: "transport", reason: "aborted" };
  if (error instanceof BrokerError) {
    return { kind: "refusal", code: error.code, message: error.message };
  }
  return {
    kind: "refusal",
    code: "UNKNOWN_SERVER_ERROR",
    message: "the request failed for a reason that the server has logged",
  };
}

export function fromWire(error: WireError, address: string): Error {
  if (error.kind === "refusal") return new BrokerError(error.code, error.message);
  return transportError(error.reason, address);
}

export function transportError(reason: TransportError["reason"], address: string): TransportError {
  return new TransportError(reason, `${TEXTS[reason]} (${address})`);
}

const TEXTS: Readonly<Record<TransportError["reason"], string>> = {
  unreachable: "no connection could be made",
  broken: "the connection broke",
  timeout: "the deadline passed",
  aborted: "the call was given up",
  "address-in-use": "address in use",
};
