/** Values that hold bytes, as JSON: for requests that one broker passes on to another. */

const MARK = "$bytes";
type Holder = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `undefined` in a value is left out, and is undefined again on the other side. */
export function encodeJsonBytes(value: unknown): Uint8Array {
  const text = JSON.stringify(value, function (this: Holder, key, part: unknown) {
    // Some kinds of bytes come as something else already: those of Node turn themselves into JSON.
    const own = this[key];
    return own instanceof Uint8Array ? { [MARK]: base64(own) } : part;
  });
  return encoder.encode(text);
}

/** Throws SyntaxError for what is no JSON. */
export function decodeJsonBytes(bytes: Uint8Array): unknown {
  return JSON.parse(decoder.decode(bytes), (_key, part: unknown) => {
    if (typeof part !== "object" || part === null || !(MARK in part)) return part;
    const text = part[MARK];
    return typeof text === "string" ? fromBase64(text) : part;
  });
}

/** `btoa` takes one character per byte; in slices, because a call takes so many arguments only. */
function base64(bytes: Uint8Array): string {
  const slices: string[] = [];
  for (let at = 0; at < bytes.length; at += 8_192) {
    slices.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
  }
  return btoa(slices.join(""));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
