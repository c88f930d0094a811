/**
 * Zig-zag variable-length integers: small magnitudes of either sign in few bytes, seven bits at a
 * time, lowest first. A varint holds an int32, a varlong an int64 of which this code admits the
 * safe integers.
 */
import { RecordError } from "./record-error.js";

/** Most bytes of a varint. */
export const VARINT_BYTES_MAX = 5;

/** Most bytes of a varlong. */
export const VARLONG_BYTES_MAX = 10;

/** Bytes that {@link writeVarint} takes for an int32. */
export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < 0x1000_0000 ? 4 : 5;
}

/** Writes an int32; returns the position after it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag >= 0x80) {
    target[at++] = zigzag | 0x80;
    zigzag >>>= 7;
  }
  target[at++] = zigzag;
  return at;
}

/** Bytes that {@link writeVarlong} takes for a safe integer. */
export function varlongBytes(value: number): number {
  if (value === (value | 0)) return varintBytes(value);
  let rest = Math.floor((value < 0 ? -1 - value : value) / 64);
  let bytes = 1;
  for (; rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes a safe integer; returns the position after it. */
export function writeVarlong(target: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(target, at, value);
  // The zig-zag form of a large value is not a safe integer, so its lowest bit, the sign, is
  // written apart from the magnitude above it.
  const sign = value < 0 ? 1 : 0;
  const magnitude = value < 0 ? -1 - value : value;
  let rest = Math.floor(magnitude / 64);
  target[at++] = ((magnitude % 64) << 1) | sign | (rest > 0 ? 0x80 : 0);
  while (rest > 0) {
    const next = Math.floor(rest / 128);
    target[at++] = (rest % 128) | (next > 0 ? 0x80 : 0);
    rest = next;
  }
  return at;
}

/** Reads varints one after the other within `[position, end)`, never past it. */
export class VarintReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  position: number;

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  /** Reads an int32. Throws {@link RecordError} when it is cut off or does not fit. */
  varint(): number {
    const { bytes, end } = this;
    let at = this.position;
    let zigzag = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw new RecordError("the data ends inside a varint");
      const byte = bytes[at++] as number;
      zigzag |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) throw new RecordError("a varint does not fit 32 bits");
        this.position = at;
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
    }
    throw new RecordError("a varint is longer than 5 bytes");
  }

  /** Reads a safe integer. Throws {@link RecordError} when it is cut off or is none. */
  varlong(): number {
    const { bytes, end } = this;
    let at = this.position;
    if (at >= end) throw new RecordError("the data ends inside a varlong");
    let byte = bytes[at++] as number;
    const isNegative = (byte & 1) === 1;
    let magnitude = (byte & 0x7f) >>> 1;
    let weight = 64;
    for (let count = 1; byte >= 0x80; count++) {
      if (count === VARLONG_BYTES_MAX) throw new RecordError("a varlong is longer than 10 bytes");
      if (at >= end) throw new RecordError("the data ends inside a varlong");
      byte = bytes[at++] as number;
      magnitude += (byte & 0x7f) * weight;
      weight *= 128;
    }
    if (magnitude > Number.MAX_SAFE_INTEGER) throw new RecordError("a varlong is beyond 2^53 - 1");
    this.position = at;
    return isNegative ? -1 - magnitude : magnitude;
  }
}
