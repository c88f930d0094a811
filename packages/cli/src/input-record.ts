/** One line of input as a record: plain, with a key before a separator, or as JSON. */
import { CommandError, EXIT } from "./exit-codes.js";

export interface InputRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  readonly partition: number | undefined;
  readonly timestampMs: number | undefined;
}

export interface InputOptions {
  /** Bytes between key and value; undefined when a line is a value. */
  readonly keySeparator: Uint8Array | undefined;
  /** Key of every record that brings none of its own. */
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly isJson: boolean;
  /** An empty value means null: a tombstone. */
  readonly emptyIsNull: boolean;
}

/** Reads lines. Throws a CommandError that names the line. */
export function inputReader(options: InputOptions): (line: Buffer, number: number) => InputRecord {
  const shared = {
    headers: Object.entries(options.headers).map(([key, value]) => ({
      key,
      value: Buffer.from(value),
    })),
    partition: undefined,
    timestampMs: undefined,
  };
  const key = options.key === undefined ? null : Buffer.from(options.key);
  const nullable = (bytes: Uint8Array): Uint8Array | null =>
    options.emptyIsNull && bytes.length === 0 ? null : bytes;
  if (options.isJson) return (line, number) => fromJson(line, number, { ...shared, key });
  const separator = options.keySeparator;
  if (separator === undefined) return (line) => ({ ...shared, key, value: nullable(line) });
  return (line, number) => {
    const at = line.indexOf(separator);
    if (at < 0) {
      throw new CommandError(EXIT.failed, `line ${number} has no key separator`, {
        hint: "every line is <key><separator><value>; leave --key-separator out for values alone",
      });
    }
    return {
      ...shared,
      key: line.subarray(0, at),
      value: nullable(line.subarray(at + separator.length)),
    };
  };
}

/** What `topic consume --json` prints is read back; a plain JSON value becomes the value's text. */
function fromJson(
  line: Buffer,
  number: number,
  shared: Pick<InputRecord, "key" | "headers">,
): InputRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line.toString());
  } catch (error) {
    throw new CommandError(EXIT.failed, `line ${number} is no JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || !("value" in parsed)) {
    throw new CommandError(EXIT.failed, `line ${number} is no object with a "value"`, {
      hint: '{"key": "k", "value": "v", "headers": [{"key": "h", "value": "1"}], "partition": 0, "timestampMs": 0}',
    });
  }
  const record = parsed as Record<string, unknown>;
  const encoding = record["encoding"] === "base64" ? "base64" : "utf8";
  const bytes = (value: unknown): Uint8Array | null => {
    if (value === null || value === undefined) return null;
    return typeof value === "string"
      ? Buffer.from(value, encoding)
      : Buffer.from(JSON.stringify(value));
  };
  const headers = Array.isArray(record["headers"]) ? (record["headers"] as unknown[]) : [];
  return {
    key: record["key"] === undefined ? shared.key : bytes(record["key"]),
    value: bytes(record["value"]),
    headers: [
      ...shared.headers,
      ...headers.map((header) => {
        const { key, value } = header as { key?: unknown; value?: unknown };
        return {
          key: String(key ?? ""),
          value: typeof value === "string" ? Buffer.from(value) : null,
        };
      }),
    ],
    partition: wholeNumber(record["partition"], "partition", number),
    timestampMs: wholeNumber(record["timestampMs"], "timestampMs", number),
  };
}

function wholeNumber(value: unknown, name: string, line: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new CommandError(EXIT.failed, `line ${line}: "${name}" is no whole number`);
}
