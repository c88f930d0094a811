/**
 * What must hold for any bytes: they are a message, bounded by their length, or refused. And what
 * was decoded can be encoded: an answer may repeat all that a peer said.
 */
import type { ApiName } from "../apis/served-apis.js";
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "../exchange.js";
import { ProtocolError } from "../protocol-error.js";
import type { ServedVersion } from "./versions.js";

export type Outcome = "decoded" | "refused";

/** Throws whatever a decoder throws that is no refusal. */
export function outcomeOf(frame: Uint8Array, of?: ServedVersion): Outcome {
  let decoded: unknown;
  try {
    decoded = decodeAndRepeat(frame, of);
  } catch (error) {
    if (error instanceof ProtocolError) return "refused";
    throw error;
  }
  const count = elementsIn(decoded);
  if (count > frame.length) throw new Error(`${count} elements out of ${frame.length} bytes`);
  return "decoded";
}

type Loose = (name: ApiName, version: number, header: unknown, body: unknown) => unknown;

function decodeAndRepeat(frame: Uint8Array, of: ServedVersion | undefined): unknown {
  if (of !== undefined) {
    const decoded = decodeResponse(of.name, of.version, frame);
    (encodeResponse as Loose)(of.name, of.version, decoded.correlationId, decoded.body);
    return decoded;
  }
  const request = decodeRequest(frame);
  if (request.name !== "UnknownApiVersions") {
    (encodeRequest as Loose)(request.name, request.version, request, request.body);
  }
  return request;
}

function elementsIn(value: unknown): number {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return 0;
  let count = Array.isArray(value) ? value.length : 0;
  for (const member of Object.values(value)) count += elementsIn(member);
  return count;
}
