/**
 * Text out of a frame, as flat strings. A string that is put together unit by unit is a tree in V8,
 * and keeps some thirty bytes for each of its characters; peers choose how long names are.
 */
import { readUtf8 } from "@strandline/record";

const STEP = 8;
/** Up to this length V8 copies what it joins. */
const FLAT_LENGTH_MAX = 12;

/** Reads `[from, end)` as UTF-8; what is none becomes U+FFFD. */
export function readText(bytes: Uint8Array, from: number, end: number): string {
  let text = "";
  let at = from;
  for (; at + STEP <= end; at += STEP) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    const e = bytes[at + 4] as number;
    const f = bytes[at + 5] as number;
    const g = bytes[at + 6] as number;
    const h = bytes[at + 7] as number;
    if ((a | b | c | d | e | f | g | h) > 0x7f) break;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  if (at < end) text += readUtf8(bytes, at, end);
  // Looking into a tree makes V8 flatten it, and drop its branches.
  if (text.length > FLAT_LENGTH_MAX) text.charCodeAt(text.length - 1);
  return text;
}

const DIGITS = Uint8Array.from(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
  (digit) => digit.charCodeAt(0),
);

/** Reads 16 bytes as 22 characters of URL-safe base64. */
export function readUuid(bytes: Uint8Array, at: number): string {
  const last = bytes[at + 15] as number;
  const text =
    threeBytes(bytes, at) +
    threeBytes(bytes, at + 3) +
    threeBytes(bytes, at + 6) +
    threeBytes(bytes, at + 9) +
    threeBytes(bytes, at + 12) +
    String.fromCharCode(DIGITS[last >> 2] as number, DIGITS[(last & 3) << 4] as number);
  text.charCodeAt(0);
  return text;
}

function threeBytes(bytes: Uint8Array, at: number): string {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  const c = bytes[at + 2] as number;
  return String.fromCharCode(
    DIGITS[a >> 2] as number,
    DIGITS[((a & 3) << 4) | (b >> 4)] as number,
    DIGITS[((b & 15) << 2) | (c >> 6)] as number,
    DIGITS[c & 63] as number,
  );
}
