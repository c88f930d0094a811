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

/** Reads 16 bytes as 22 characters of URL-safe base64; in one call, which makes a flat string. */
export function readUuid(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    digit(bytes, at, 0),
    digit(bytes, at, 6),
    digit(bytes, at, 12),
    digit(bytes, at, 18),
    digit(bytes, at, 24),
    digit(bytes, at, 30),
    digit(bytes, at, 36),
    digit(bytes, at, 42),
    digit(bytes, at, 48),
    digit(bytes, at, 54),
    digit(bytes, at, 60),
    digit(bytes, at, 66),
    digit(bytes, at, 72),
    digit(bytes, at, 78),
    digit(bytes, at, 84),
    digit(bytes, at, 90),
    digit(bytes, at, 96),
    digit(bytes, at, 102),
    digit(bytes, at, 108),
    digit(bytes, at, 114),
    digit(bytes, at, 120),
    DIGITS[((bytes[at + 15] as number) & 3) << 4] as number,
  );
}

/** The digit for the six bits that begin at a bit. */
function digit(bytes: Uint8Array, at: number, bit: number): number {
  const byte = at + (bit >> 3);
  const two = ((bytes[byte] as number) << 8) | (bytes[byte + 1] as number);
  return DIGITS[(two >> (10 - (bit & 7))) & 63] as number;
}
