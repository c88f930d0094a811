/** A record that says who sent it: producer, key, sequence number and time, padded to its size. */
import { crc32c } from "@strandline/platform";
import { UNREADABLE } from "./history.mjs";

const VALUE_BYTES = 128;
const FILLER = "strandline ".repeat(VALUE_BYTES);
/** Room for the two numbers in front. */
const HEAD_BYTES = 40;

export function keyFor(partition, key) {
  return `p${partition}-k${key}`;
}

/** `{ key, value, fingerprint }`: bytes to send, and what stands for them. */
export function encodeContent({ producer, key, sequence, sentAtMs }) {
  const head = `${producer} ${sequence} ${key} ${sentAtMs} `;
  const value = Buffer.from(head + FILLER.slice(0, Math.max(0, VALUE_BYTES - head.length)));
  const keyBytes = Buffer.from(key);
  return { key: keyBytes, value, fingerprint: fingerprintOf(keyBytes, value) };
}

/** `{ producer, sequence, fingerprint }` of a record that was read. */
export function decodeContent(key, value) {
  const keyBytes = key ?? new Uint8Array();
  const valueBytes = value ?? new Uint8Array();
  const fingerprint = fingerprintOf(keyBytes, valueBytes);
  const head = Buffer.from(valueBytes.buffer, valueBytes.byteOffset, valueBytes.byteLength)
    .toString("latin1", 0, HEAD_BYTES)
    .split(" ", 2);
  const [producer, sequence] = head.map(Number);
  const isReadable = isBelow(producer, UNREADABLE.producer) && isBelow(sequence, 2 ** 32);
  return isReadable ? { producer, sequence, fingerprint } : { ...UNREADABLE, fingerprint };
}

function isBelow(value, end) {
  return Number.isInteger(value) && value >= 0 && value < end;
}

function fingerprintOf(key, value) {
  return crc32c(value, crc32c(key));
}
