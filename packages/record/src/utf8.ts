/**
 * UTF-8 for the few strings of a batch (header keys), without the platform's encoders.
 *
 * Never fails, as the encoders of the web do not: half a surrogate pair is written as U+FFFD, and
 * bytes that are no UTF-8 are read as U+FFFD, one for each sequence that breaks off.
 */

const REPLACEMENT = 0xfffd;

/** Bytes that {@link writeUtf8} takes for `text`. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes += 1;
    } else if (isPairAt(text, index)) {
      // Two units, four bytes.
      bytes += 2;
      index++;
    } else {
      bytes += 2;
    }
  }
  return bytes;
}

/** Writes `text`, for which there is room; returns the position after it. */
export function writeUtf8(target: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      target[at++] = unit;
      continue;
    }
    if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
    } else if (isPairAt(text, index)) {
      const point = text.codePointAt(index) as number;
      index++;
      target[at++] = 0xf0 | (point >> 18);
      target[at++] = 0x80 | ((point >> 12) & 0x3f);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
      continue;
    } else {
      const point = (unit & 0xf800) === 0xd800 ? REPLACEMENT : unit;
      target[at++] = 0xe0 | (point >> 12);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
      continue;
    }
    target[at++] = 0x80 | (unit & 0x3f);
  }
  return at;
}

function isPairAt(text: string, index: number): boolean {
  return (
    (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00
  );
}

/** Reads `[from, end)`. */
export function readUtf8(bytes: Uint8Array, from: number, end: number): string {
  let text = "";
  let at = from;
  while (at < end) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      at++;
      continue;
    }
    const length = sequenceBytes(bytes, at, end);
    if (length > 0) {
      text += String.fromCodePoint(codePoint(bytes, at, length));
      at += length;
    } else {
      text += String.fromCharCode(REPLACEMENT);
      at -= length;
    }
  }
  return text;
}

/**
 * Length of the sequence that starts at `at`, when it is whole and legal; otherwise minus the
 * number of bytes that one U+FFFD stands for: as many as could have begun a legal sequence.
 */
function sequenceBytes(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte carries what rules out over-long forms, surrogates and points past U+10FFFF.
  let low = 0x80;
  let high = 0xbf;
  if (lead === 0xe0) low = 0xa0;
  else if (lead === 0xed) high = 0x9f;
  else if (lead === 0xf0) low = 0x90;
  else if (lead === 0xf4) high = 0x8f;
  for (let index = 1; index < length; index++) {
    if (at + index >= end) return -index;
    const byte = bytes[at + index] as number;
    if (byte < low || byte > high) return -index;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  let point = (bytes[at] as number) & (0xff >> (length + 1));
  for (let index = 1; index < length; index++) {
    point = (point << 6) | ((bytes[at + index] as number) & 0x3f);
  }
  return point;
}
