/** Messages of the raft scenario: raft's own, and two for its clients. */
import type { MessageCodec, RpcMethod } from "@strandline/platform";
import {
  type EntryFields,
  type MessageFields,
  messageFields,
  messageOf,
  type RaftMessage,
} from "@strandline/raft";

export const RAFT_PORT = 7000;

export interface Proposal {
  /** Tells this command from any other; a repeated one takes effect once. */
  readonly payload: string;
}

export interface ProposalAnswer {
  /** Where the command is in the sequence of all that took effect. */
  readonly offset: number;
}

export const exchangeMethod: RpcMethod<RaftMessage, RaftMessage> = {
  path: "/simulator.Raft/Exchange",
  kind: "bidi",
  request: raftCodec(),
  response: raftCodec(),
};

export const proposeMethod: RpcMethod<Proposal, ProposalAnswer> = {
  path: "/simulator.Raft/Propose",
  kind: "unary",
  request: jsonCodec<Proposal>(),
  response: jsonCodec<ProposalAnswer>(),
};

/** Any value that JSON can say. */
export function jsonCodec<Message>(): MessageCodec<Message> {
  return {
    encode: (message) => Buffer.from(JSON.stringify(message)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Message,
  };
}

/** Bytes travel as text. */
interface WireMessage extends Omit<MessageFields, "entries" | "snapshot"> {
  readonly entries: readonly (Omit<EntryFields, "data"> & { readonly data: string })[];
  readonly snapshot: string;
}

function raftCodec(): MessageCodec<RaftMessage> {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  const bytes = (latin: string): Uint8Array => Buffer.from(latin, "latin1");
  return {
    encode(message) {
      const fields = messageFields(message);
      const entries = fields.entries.map((entry) => ({ ...entry, data: text(entry.data) }));
      return Buffer.from(JSON.stringify({ ...fields, entries, snapshot: text(fields.snapshot) }));
    },
    decode(encoded) {
      const json = JSON.parse(Buffer.from(encoded).toString()) as WireMessage;
      const entries = json.entries.map((entry) => ({ ...entry, data: bytes(entry.data) }));
      const message = messageOf({ ...json, entries, snapshot: bytes(json.snapshot) });
      if (message === undefined) throw new Error(`not a raft message: ${json.kind}`);
      return message;
    },
  };
}
