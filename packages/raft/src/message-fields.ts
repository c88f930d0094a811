/**
 * Messages as they cross a wire: a few fixed fields, and the rest of the scalars as a plain object
 * for JSON. What comes back in is untrusted: it is checked here once, so that the core may assert.
 */
import type { Entry, MessageKind, RaftMessage } from "./messages.js";
import { decodeVoters, votersProblem } from "./voters.js";

const INT32_MAX = 2_147_483_647;

export interface EntryFields {
  readonly index: number;
  readonly term: number;
  /** 0: data, 1: configuration. */
  readonly type: number;
  readonly data: Uint8Array;
}

export interface MessageFields {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly term: number;
  /** Numbers, booleans and the voter list of a snapshot, by name. */
  readonly body: unknown;
  readonly entries: readonly EntryFields[];
  /** Data of a snapshot; empty in every other message. */
  readonly snapshot: Uint8Array;
}

type MessageOf<Kind extends MessageKind> = Extract<RaftMessage, { kind: Kind }>;
type Scalars<Message> = Omit<Message, "kind" | "from" | "to" | "term" | "entries" | "snapshot">;
type Scalar = "count" | "number" | "flag";

/** The scalars of each kind; the types make a forgotten one a compile error. */
const SCALARS: {
  readonly [Kind in MessageKind]: { readonly [Name in keyof Scalars<MessageOf<Kind>>]: Scalar };
} = {
  "pre-vote": { nextTerm: "count", lastIndex: "count", lastTerm: "count" },
  "pre-vote-answer": { nextTerm: "count", granted: "flag" },
  vote: { lastIndex: "count", lastTerm: "count", isTransfer: "flag" },
  "vote-answer": { granted: "flag" },
  append: { prevIndex: "count", prevTerm: "count", commit: "count" },
  "append-answer": { matchIndex: "count" },
  "append-refusal": { prevIndex: "count", hintIndex: "count", hintTerm: "count" },
  heartbeat: { commit: "count", readRound: "count" },
  "heartbeat-answer": { readRound: "count" },
  "install-snapshot": {},
  "timeout-now": {},
  "read-index": { context: "number" },
  "read-index-answer": { context: "number", index: "count" },
  "stale-term": {},
};

const NO_DATA = new Uint8Array(0);

/** Takes a message apart. The bytes are shared with it. */
export function messageFields(message: RaftMessage): MessageFields {
  const { kind, from, to, term } = message;
  const body: Record<string, unknown> = {};
  for (const name of Object.keys(SCALARS[kind])) body[name] = Reflect.get(message, name);
  if (kind === "install-snapshot") {
    const { snapshot } = message;
    Object.assign(body, {
      index: snapshot.index,
      indexTerm: snapshot.term,
      voters: snapshot.voters,
    });
    return { kind, from, to, term, body, entries: [], snapshot: snapshot.data };
  }
  const entries = kind === "append" ? message.entries.map(entryFields) : [];
  return { kind, from, to, term, body, entries, snapshot: NO_DATA };
}

/** Puts a message together; undefined when the fields are not those of one. Shares their bytes. */
export function messageOf(fields: MessageFields): RaftMessage | undefined {
  const { kind, from, to, term, body } = fields;
  if (!isKind(kind) || !isNode(from) || !isNode(to) || !isCount(term)) return undefined;
  if (typeof body !== "object" || body === null) return undefined;
  const scalars = new Map<string, unknown>(Object.entries(body));
  const parts: Record<string, unknown> = { kind, from, to, term };
  for (const [name, scalar] of Object.entries(SCALARS[kind])) {
    const value = scalars.get(name);
    if (!isScalar(value, scalar)) return undefined;
    parts[name] = value;
  }
  if (kind === "append") parts["entries"] = entriesOf(fields, scalars);
  if (kind === "install-snapshot") parts["snapshot"] = snapshotOf(fields, scalars);
  const isWhole = Object.values(parts).every((part) => part !== undefined);
  return isWhole ? (parts as unknown as RaftMessage) : undefined;
}

function entryFields(entry: Entry): EntryFields {
  const { index, term, type, data } = entry;
  return { index, term, type: type === "data" ? 0 : 1, data };
}

/** The entries of an append: they continue `prevIndex`, and terms go up to the sender's at most. */
function entriesOf(
  fields: MessageFields,
  scalars: ReadonlyMap<string, unknown>,
): readonly Entry[] | undefined {
  let index = Number(scalars.get("prevIndex"));
  let term = Number(scalars.get("prevTerm"));
  const entries: Entry[] = [];
  for (const entry of fields.entries) {
    const { data } = entry;
    if (entry.index !== index + 1 || !isCount(entry.index) || !isCount(entry.term))
      return undefined;
    if (entry.term < term || entry.term > fields.term) return undefined;
    if (entry.type !== 0 && entry.type !== 1) return undefined;
    if (entry.type === 1 && decodeVoters(data) === undefined) return undefined;
    ({ index, term } = entry);
    entries.push({ index, term, type: entry.type === 0 ? "data" : "configuration", data });
  }
  return entries;
}

function snapshotOf(
  fields: MessageFields,
  scalars: ReadonlyMap<string, unknown>,
): object | undefined {
  const index = scalars.get("index");
  const term = scalars.get("indexTerm");
  const voters = scalars.get("voters");
  if (!isCount(index) || !isCount(term) || index === 0 || term > fields.term) return undefined;
  if (!Array.isArray(voters) || votersProblem(voters) !== undefined) return undefined;
  return { index, term, voters, data: fields.snapshot };
}

function isKind(kind: string): kind is MessageKind {
  return Object.hasOwn(SCALARS, kind);
}

function isNode(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= INT32_MAX;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isScalar(value: unknown, scalar: Scalar): boolean {
  if (scalar === "flag") return typeof value === "boolean";
  return scalar === "number" ? Number.isSafeInteger(value) : isCount(value);
}
