import { describe, expect, it } from "vitest";
import { type MessageFields, messageFields, messageOf } from "./message-fields.js";
import type { RaftMessage } from "./messages.js";
import { encodeVoters } from "./voters.js";

const envelope = { from: 1, to: 2, term: 7 };
const entries = [
  { index: 4, term: 5, type: "data", data: Uint8Array.of(1, 2) },
  { index: 5, term: 7, type: "configuration", data: encodeVoters([1, 2]) },
] as const;

const MESSAGES: readonly RaftMessage[] = [
  { kind: "pre-vote", ...envelope, nextTerm: 8, lastIndex: 3, lastTerm: 2 },
  { kind: "pre-vote-answer", ...envelope, nextTerm: 8, granted: true },
  { kind: "vote", ...envelope, lastIndex: 3, lastTerm: 2, isTransfer: false },
  { kind: "vote-answer", ...envelope, granted: false },
  { kind: "append", ...envelope, prevIndex: 3, prevTerm: 5, entries, commit: 3 },
  { kind: "append-answer", ...envelope, matchIndex: 5 },
  { kind: "append-refusal", ...envelope, prevIndex: 9, hintIndex: 4, hintTerm: 5 },
  { kind: "heartbeat", ...envelope, commit: 3, readRound: 2 },
  { kind: "heartbeat-answer", ...envelope, readRound: 2 },
  {
    kind: "install-snapshot",
    ...envelope,
    snapshot: { index: 9, term: 6, voters: [1, 2], data: Uint8Array.of(9) },
  },
  { kind: "timeout-now", ...envelope },
  { kind: "read-index", ...envelope, context: -3 },
  { kind: "read-index-answer", ...envelope, context: -3, index: 5 },
  { kind: "stale-term", ...envelope },
];

/** The fields of a message after a trip through JSON, with some of them replaced. */
function received(message: RaftMessage, change: Partial<MessageFields> = {}): MessageFields {
  const fields = messageFields(message);
  return { ...fields, body: JSON.parse(JSON.stringify(fields.body)) as unknown, ...change };
}

function ofKind(kind: RaftMessage["kind"]): RaftMessage {
  const message = MESSAGES.find((one) => one.kind === kind);
  if (message === undefined) throw new Error(`no sample of ${kind}`);
  return message;
}

describe("message fields", () => {
  it.each(MESSAGES)("bring $kind over the wire unchanged", (message) => {
    expect(messageOf(received(message))).toEqual(message);
  });

  it("are refused when a scalar is missing or of another type", () => {
    for (const message of MESSAGES) {
      const body = messageFields(message).body as Record<string, unknown>;
      for (const name of Object.keys(body)) {
        for (const wrong of [undefined, null, "1", 1.5, Number.NaN, {}, 2 ** 53]) {
          const fields = received(message, { body: { ...body, [name]: wrong } });
          expect(messageOf(fields), `${message.kind}.${name} = ${JSON.stringify(wrong)}`).toBe(
            undefined,
          );
        }
      }
    }
  });

  it("are refused when the envelope is not one", () => {
    const message = ofKind("timeout-now");
    for (const kind of ["", "__proto__", "toString", "Vote"]) {
      expect(messageOf(received(message, { kind }))).toBe(undefined);
    }
    expect(messageOf(received(message, { from: -1 }))).toBe(undefined);
    expect(messageOf(received(message, { to: 2 ** 31 }))).toBe(undefined);
    expect(messageOf(received(message, { term: -1 }))).toBe(undefined);
    expect(messageOf(received(message, { body: null }))).toBe(undefined);
    expect(messageOf(received(message, { body: [1] }))).toEqual(message);
  });

  it("are refused when the entries of an append do not follow one another", () => {
    const message = ofKind("append");
    const fields = messageFields(message);
    const [first, second] = fields.entries;
    if (first === undefined || second === undefined) throw new Error("the sample has two entries");
    const refused = [
      [second],
      [first, first],
      [{ ...first, term: 4 }, second],
      [first, { ...second, term: 8 }],
      [first, { ...second, type: 2 }],
      [first, { ...second, data: Uint8Array.of(1, 2, 3) }],
      [first, { ...second, data: encodeVoters([2, 1]) }],
    ];
    for (const wrong of refused) {
      expect(messageOf(received(message, { entries: wrong }))).toBe(undefined);
    }
    expect(messageOf(received(message, { entries: [first] }))).toBeDefined();
  });

  it("are refused when a snapshot's voters are not a voter list", () => {
    const message = ofKind("install-snapshot");
    for (const voters of [[2, 1], [1, 1], [-1], ["1"], "12", { 0: 1 }]) {
      const body = { index: 9, indexTerm: 6, voters };
      expect(messageOf(received(message, { body }))).toBe(undefined);
    }
    const ofTheFuture = { index: 9, indexTerm: 8, voters: [1] };
    expect(messageOf(received(message, { body: ofTheFuture }))).toBe(undefined);
  });
});
