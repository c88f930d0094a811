/** Raft messages on the wire: the fields all share as protobuf, the others as a JSON body. */
import type { Entry, RaftMessage as Message, Snapshot } from "@strandline/raft";
import type { RaftMessage as Envelope } from "@strandline/rpc";

const KINDS: ReadonlySet<string> = new Set<Message["kind"]>([
  "pre-vote",
  "pre-vote-answer",
  "vote",
  "vote-answer",
  "append",
  "append-answer",
  "append-refusal",
  "heartbeat",
  "heartbeat-answer",
  "install-snapshot",
  "timeout-now",
  "read-index",
  "read-index-answer",
  "stale-term",
]);

const NOTHING = new Uint8Array(0);

export function encodeRaftMessage(message: Message, clusterId: string): Envelope {
  const { kind, from, to, term, ...body } = message as Message & {
    entries?: readonly Entry[];
    snapshot?: Snapshot;
  };
  const { entries, snapshot, ...scalars } = body;
  const fields =
    snapshot === undefined
      ? scalars
      : { ...scalars, index: snapshot.index, snapshotTerm: snapshot.term, voters: snapshot.voters };
  return {
    kind,
    from,
    to,
    term,
    body: encoder.encode(JSON.stringify(fields)),
    entries: (entries ?? []).map((entry) => ({
      index: entry.index,
      term: entry.term,
      type: entry.type === "configuration" ? 1 : 0,
      data: entry.data,
    })),
    snapshot: snapshot?.data ?? NOTHING,
    clusterId,
  };
}

/** Throws on what is no raft message: the stream that brought it is ended. */
export function decodeRaftMessage(envelope: Envelope): Message {
  if (!KINDS.has(envelope.kind)) throw new Error(`unknown raft message "${envelope.kind}"`);
  const body = JSON.parse(decoder.decode(envelope.body)) as Record<string, unknown>;
  const shared = { kind: envelope.kind, from: envelope.from, to: envelope.to, term: envelope.term };
  if (envelope.kind === "install-snapshot") {
    const snapshot = {
      index: body["index"],
      term: body["snapshotTerm"],
      voters: body["voters"],
      data: envelope.snapshot.slice(),
    };
    return { ...shared, snapshot } as unknown as Message;
  }
  if (envelope.kind === "append") {
    const entries = envelope.entries.map(
      (entry): Entry => ({
        index: entry.index,
        term: entry.term,
        type: entry.type === 1 ? "configuration" : "data",
        data: entry.data.slice(),
      }),
    );
    return { ...shared, ...body, entries } as unknown as Message;
  }
  return { ...shared, ...body } as unknown as Message;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
