/**
 * How records are printed: kcat's tokens. Bytes go out as they are; nothing is decoded.
 *
 *     %t topic   %p partition   %o offset   %k key   %v %s value   %h headers
 *     %T timestamp (ms)   %d timestamp (ISO)   %K %S %R sizes   %% percent   \n \t \r \0 \\ \xNN
 */
import { CommandError, EXIT } from "./exit-codes.js";

export interface PrintableRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

/** One piece of a format: fixed bytes, or what a record has for a token. */
type Piece = (record: PrintableRecord) => Uint8Array;

const NOTHING = new Uint8Array(0);

const TOKENS: Readonly<Record<string, Piece>> = {
  t: (record) => Buffer.from(record.topic),
  p: (record) => Buffer.from(String(record.partition)),
  o: (record) => Buffer.from(String(record.offset)),
  T: (record) => Buffer.from(String(record.timestampMs)),
  d: (record) => Buffer.from(new Date(record.timestampMs).toISOString()),
  k: (record) => record.key ?? NOTHING,
  v: (record) => record.value ?? NOTHING,
  s: (record) => record.value ?? NOTHING,
  K: (record) => Buffer.from(String(record.key?.length ?? -1)),
  S: (record) => Buffer.from(String(record.value?.length ?? -1)),
  R: (record) => Buffer.from(String(record.value?.length ?? -1)),
  h: (record) =>
    Buffer.from(record.headers.map(({ key, value }) => `${key}=${textOf(value)}`).join(",")),
  "%": () => Buffer.from("%"),
};

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, "0": 0, "\\": 92 };

/** Prints one record into a buffer. Throws a CommandError for an unknown token. */
export function recordFormat(format: string): (record: PrintableRecord) => Uint8Array {
  const pieces = parse(format);
  return (record) => Buffer.concat(pieces.map((piece) => piece(record)));
}

/** One line of JSON: keys and values as text, or as base64 where they are no UTF-8. */
export function recordJson(record: PrintableRecord): string {
  const isText = isUtf8(record.key) && isUtf8(record.value);
  const show = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString(isText ? "utf8" : "base64");
  return JSON.stringify({
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestampMs: record.timestampMs,
    key: show(record.key),
    value: show(record.value),
    ...(isText ? {} : { encoding: "base64" }),
    headers: record.headers.map(({ key, value }) => ({ key, value: textOf(value) })),
  });
}

function parse(format: string): Piece[] {
  const pieces: Piece[] = [];
  let fixed: number[] = [];
  const flush = (): void => {
    if (fixed.length === 0) return;
    const bytes = Uint8Array.from(fixed);
    pieces.push(() => bytes);
    fixed = [];
  };
  for (let at = 0; at < format.length; at += 1) {
    const character = format[at] as string;
    const next = format[at + 1] ?? "";
    if (character === "%") {
      const piece = TOKENS[next];
      if (piece === undefined) {
        throw new CommandError(EXIT.usage, `"%${next}" is no token of a record format`, {
          hint: `known are ${Object.keys(TOKENS)
            .map((token) => `%${token}`)
            .join(" ")}`,
        });
      }
      flush();
      pieces.push(piece);
      at += 1;
    } else if (character === "\\" && next === "x") {
      fixed.push(Number.parseInt(format.slice(at + 2, at + 4), 16) & 255);
      at += 3;
    } else if (character === "\\" && next in ESCAPES) {
      fixed.push(ESCAPES[next] as number);
      at += 1;
    } else {
      fixed.push(...Buffer.from(character));
    }
  }
  flush();
  return pieces;
}

/** The bytes that a separator given on the command line stands for: escapes as in a format. */
export function separatorBytes(text: string): Uint8Array {
  const bytes = recordFormat(text.replaceAll("%", "%%"))({
    topic: "",
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: null,
    value: null,
    headers: [],
  });
  if (bytes.length === 0) throw new CommandError(EXIT.usage, "a separator must not be empty");
  return bytes;
}

function textOf(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString();
}

function isUtf8(bytes: Uint8Array | null): boolean {
  if (bytes === null) return true;
  return Buffer.from(Buffer.from(bytes).toString()).equals(bytes);
}
