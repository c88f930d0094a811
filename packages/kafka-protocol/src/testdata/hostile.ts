/** What must hold for any bytes: they are a message, bounded by their length, or refused. */
import { decodeRequest, decodeResponse } from "../exchange.js";
import { ProtocolError } from "../protocol-error.js";
import type { ServedVersion } from "./versions.js";

export type Outcome = "decoded" | "refused";

/** Throws whatever a decoder throws that is no refusal. */
export function outcomeOf(frame: Uint8Array, of?: ServedVersion): Outcome {
  let decoded: unknown;
  try {
    decoded = of === undefined ? decodeRequest(frame) : decodeResponse(of.name, of.version, frame);
  } catch (error) {
    if (error instanceof ProtocolError) return "refused";
    throw error;
  }
  const count = elementsIn(decoded);
  if (count > frame.length) throw new Error(`${count} elements out of ${frame.length} bytes`);
  return "decoded";
}

function elementsIn(value: unknown): number {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return 0;
  let count = Array.isArray(value) ? value.length : 0;
  for (const member of Object.values(value)) count += elementsIn(member);
  return count;
}
