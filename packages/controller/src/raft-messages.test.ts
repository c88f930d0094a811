import type { RaftMessage } from "@strandline/raft";
import { raftMessageCodec } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import { decodeRaftMessage, encodeRaftMessage } from "./raft-messages.js";

const SHARED = { from: 1, to: 2, term: 3 };

function roundTrip(message: RaftMessage): RaftMessage {
  const bytes = raftMessageCodec.encode(encodeRaftMessage(message, "cluster"));
  return decodeRaftMessage(raftMessageCodec.decode(bytes));
}

describe("raft messages", () => {
  it("keep their scalar fields", () => {
    const vote: RaftMessage = {
      kind: "vote",
      ...SHARED,
      lastIndex: 9,
      lastTerm: 2,
      isTransfer: true,
    };
    expect(roundTrip(vote)).toEqual(vote);
  });

  it("keep entries with their types and bytes", () => {
    const append: RaftMessage = {
      kind: "append",
      ...SHARED,
      prevIndex: 4,
      prevTerm: 2,
      commit: 4,
      entries: [
        { index: 5, term: 3, type: "data", data: new Uint8Array(0) },
        { index: 6, term: 3, type: "configuration", data: Uint8Array.of(1, 255) },
      ],
    };
    expect(normalized(roundTrip(append))).toEqual(append);
  });

  it("keep a snapshot apart from the message's own term", () => {
    const install: RaftMessage = {
      kind: "install-snapshot",
      ...SHARED,
      snapshot: { index: 8, term: 2, voters: [1, 2, 3], data: Uint8Array.of(7) },
    };
    expect(normalized(roundTrip(install))).toEqual(install);
  });

  it("refuse a kind that raft does not have", () => {
    const envelope = encodeRaftMessage({ kind: "timeout-now", ...SHARED }, "");
    expect(() => decodeRaftMessage({ ...envelope, kind: "sudo" })).toThrow("sudo");
  });
});

/** Node's Buffers as plain arrays of bytes, so that equality is about content. */
function normalized(message: RaftMessage): RaftMessage {
  if (message.kind === "append") {
    const entries = message.entries.map((entry) => ({
      ...entry,
      data: Uint8Array.from(entry.data),
    }));
    return { ...message, entries };
  }
  if (message.kind !== "install-snapshot") return message;
  const { snapshot } = message;
  return { ...message, snapshot: { ...snapshot, data: Uint8Array.from(snapshot.data) } };
}
