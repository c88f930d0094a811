/** What the tests of a client send and look for: fresh names, records that carry a number. */
import { Lacking } from "../lab/lacking.mjs";

let named = 0;

/** Nobody used it before, on any cluster. */
export function freshName(what) {
  named += 1;
  return `${what}-${Date.now().toString(36)}-${named}`;
}

/** Record `number` of a run: recognised by its value. */
export function numbered(number, { bytes = 100, timestampMs } = {}) {
  return {
    key: Buffer.from(`key-${number % 7}`),
    value: Buffer.from(`${number} `.padEnd(bytes, "strandline ")),
    headers: [],
    timestampMs,
  };
}

export function numberIn(record) {
  return Number.parseInt(record.value.toString("latin1", 0, 12), 10);
}

/** Those of `driver`'s calls that a test needs; it is skipped when the client lacks one. */
export function need(driver, ...calls) {
  const missing = calls.filter((call) => typeof driver[call] !== "function");
  if (missing.length > 0) throw new Lacking(`the client has no call for it: ${missing.join(", ")}`);
}
