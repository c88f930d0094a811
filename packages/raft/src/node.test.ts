import { describe, expect, it } from "vitest";
import type { Entry, RaftMessage, Snapshot } from "./messages.js";
import { RaftNode, type Ready } from "./node.js";
import type { RaftOptions, Restored } from "./options.js";
import { encodeVoters } from "./voters.js";

const NO_DATA = new Uint8Array(0);

function entry(index: number, term: number, voters?: readonly number[]): Entry {
  if (voters === undefined) return { index, term, type: "data", data: NO_DATA };
  return { index, term, type: "configuration", data: encodeVoters(voters) };
}

/** Server 1 of `voters`, with `entries` on its disk, in the term of the last of them. */
function server(entries: readonly Entry[], options: Partial<RaftOptions> = {}): RaftNode {
  const hardState = { term: entries.at(-1)?.term ?? 0, vote: -1, commit: 0 };
  const restored: Restored = { hardState, entries };
  return new RaftNode({
    self: 1,
    voters: [1, 2, 3],
    electionTicks: 10,
    heartbeatTicks: 2,
    entriesBytesMax: 1_000,
    inflightMax: 4,
    seed: 1,
    restored,
    applied: 0,
    ...options,
  });
}

/** Does everything there is to do. Returns every Ready on the way. */
function drain(node: RaftNode): Ready[] {
  const all: Ready[] = [];
  while (node.hasReady()) {
    const ready = node.ready();
    all.push(ready);
    node.advance(ready);
  }
  return all;
}

function sent(node: RaftNode): RaftMessage[] {
  return drain(node).flatMap(({ messages }) => messages);
}

/** Server 1 as elected by server 2; its first entries are durable, and nobody has answered. */
function leader(entries: readonly Entry[] = [], options: Partial<RaftOptions> = {}): RaftNode {
  const node = server(entries, options);
  node.campaign();
  drain(node);
  const { term } = node;
  const from2 = { from: 2, to: 1 };
  node.step({ kind: "pre-vote-answer", ...from2, term, nextTerm: term + 1, granted: true });
  drain(node);
  node.step({ kind: "vote-answer", ...from2, term: term + 1, granted: true });
  drain(node);
  expect(node.role).toBe("leader");
  return node;
}

describe("the Ready of a RaftNode", () => {
  it("is one at a time, and advanced as it was handed out", () => {
    const node = server([]);
    node.campaign();
    const ready = node.ready();
    node.campaign();
    expect(node.hasReady()).toBe(false);
    expect(() => node.ready()).toThrow("one Ready is out");
    expect(() => node.advance({ ...ready })).toThrow("the Ready that is out");
    node.advance(ready);
    expect(node.hasReady()).toBe(true);
  });

  it("is there only for a reason", () => {
    const node = leader();
    expect(node.hasReady()).toBe(false);
    node.tick();
    expect(node.hasReady()).toBe(false);
    node.tick();
    expect(sent(node).map(({ kind }) => kind)).toEqual(["heartbeat", "heartbeat"]);
  });

  it("asks for a sync when a vote or entries are in it, and not for a commit index", () => {
    const node = leader();
    node.propose(NO_DATA);
    const [proposed] = drain(node);
    expect([proposed?.mustSync, proposed?.hardState]).toEqual([true, undefined]);
    node.step({ kind: "append-answer", from: 2, to: 1, term: 1, matchIndex: 3 });
    const [committed] = drain(node);
    expect([committed?.mustSync, committed?.hardState?.commit]).toEqual([false, 3]);
    node.step({ kind: "stale-term", from: 2, to: 1, term: 5 });
    expect(drain(node)[0]?.mustSync).toBe(true);
  });

  it("counts a leader's own entries only after it was advanced", () => {
    const node = leader();
    node.propose(NO_DATA);
    const ready = node.ready();
    node.step({ kind: "append-answer", from: 2, to: 1, term: 1, matchIndex: 2 });
    expect(node.commit).toBe(2);
    node.step({ kind: "append-answer", from: 2, to: 1, term: 1, matchIndex: 3 });
    expect(node.commit).toBe(2);
    node.advance(ready);
    expect(node.commit).toBe(3);
  });

  it("counts a candidate's own vote only after it was advanced", () => {
    const node = server([], { voters: [1] });
    node.tick();
    expect(node.role).toBe("candidate");
    const ready = node.ready();
    expect(ready.hardState).toEqual({ term: 1, vote: 1, commit: 0 });
    node.advance(ready);
    expect(node.role).toBe("leader");
  });

  it("hands out again what was committed and not applied before a restart", () => {
    const entries = [entry(1, 1), entry(2, 1), entry(3, 1)];
    const restored = { hardState: { term: 1, vote: 2, commit: 2 }, entries };
    const node = server([], { restored, applied: 1 });
    const ready = node.ready();
    expect(ready.committed).toEqual([entry(2, 1)]);
    expect(ready.hardState).toBe(undefined);
    expect(ready.entries).toEqual([]);
  });
});

describe("a vote", () => {
  const question = { kind: "vote", from: 2, to: 1, isTransfer: false } as const;

  it("goes to nobody whose log is behind", () => {
    const behind = [
      { lastIndex: 1, lastTerm: 3 },
      { lastIndex: 9, lastTerm: 2 },
      { lastIndex: 0, lastTerm: 0 },
    ];
    for (const last of behind) {
      const node = server([entry(1, 1), entry(2, 3)]);
      node.step({ ...question, term: 4, ...last });
      expect(sent(node)).toMatchObject([{ kind: "vote-answer", granted: false, term: 4 }]);
    }
  });

  it("goes to one candidate per term, and again to the same one", () => {
    const node = server([]);
    node.step({ ...question, term: 4, lastIndex: 5, lastTerm: 3 });
    node.step({ ...question, from: 3, term: 4, lastIndex: 5, lastTerm: 3 });
    node.step({ ...question, term: 4, lastIndex: 5, lastTerm: 3 });
    const granted = sent(node).map((answer) => answer.kind === "vote-answer" && answer.granted);
    expect(granted).toEqual([true, false, true]);
  });

  it("is refused in a term that is over, with the term that is on", () => {
    const node = server([entry(1, 5)]);
    node.step({ ...question, term: 4, lastIndex: 5, lastTerm: 4 });
    expect(sent(node)).toMatchObject([{ kind: "vote-answer", granted: false, term: 5 }]);
  });

  it("is taken by the leader of the term when nobody had it", () => {
    const node = server([]);
    node.step({ kind: "heartbeat", from: 3, to: 1, term: 4, commit: 0, readRound: 0 });
    expect(drain(node)[0]?.hardState).toEqual({ term: 4, vote: 3, commit: 0 });
  });
});

describe("a pre-vote", () => {
  const question = { kind: "pre-vote", from: 2, to: 1, lastIndex: 9, lastTerm: 9 } as const;

  it("changes neither term nor vote nor role, whatever it asks for", () => {
    for (const node of [server([entry(1, 1)]), leader()]) {
      const { role, term } = node;
      drain(node);
      node.step({ ...question, term: 7, nextTerm: 8 });
      const [ready] = drain(node);
      expect([node.role, node.term, ready?.hardState]).toEqual([role, term, undefined]);
    }
  });

  it("is granted for a later term only, and to a log that is not behind", () => {
    const asked = (nextTerm: number, last: object): boolean => {
      const node = server([entry(1, 1), entry(2, 3)]);
      node.step({ ...question, term: nextTerm - 1, nextTerm, ...last });
      const [answer] = sent(node);
      return answer?.kind === "pre-vote-answer" && answer.granted;
    };
    expect(asked(4, {})).toBe(true);
    expect(asked(3, {})).toBe(false);
    expect(asked(4, { lastIndex: 2, lastTerm: 3 })).toBe(true);
    expect(asked(4, { lastIndex: 1, lastTerm: 3 })).toBe(false);
  });

  it("is won only by answers to the question that is on", () => {
    const node = server([entry(1, 3)]);
    node.campaign();
    const answer = { kind: "pre-vote-answer", from: 2, to: 1, granted: true } as const;
    node.step({ ...answer, term: 3, nextTerm: 3 });
    expect(node.role).toBe("pre-candidate");
    // The one that answers may itself be in an earlier term.
    node.step({ ...answer, term: 2, nextTerm: 4 });
    expect([node.role, node.term]).toEqual(["candidate", 4]);
  });
});

describe("a follower", () => {
  const append = {
    kind: "append",
    from: 2,
    to: 1,
    prevIndex: 1,
    prevTerm: 1,
    entries: [],
  } as const;

  it("commits no further than the leader has shown to be equal", () => {
    const node = server([entry(1, 1), entry(2, 1), entry(3, 1)]);
    node.step({ ...append, term: 2, commit: 3 });
    expect(node.commit).toBe(1);
    node.step({ ...append, term: 2, commit: 3, entries: [entry(2, 2)] });
    expect([node.commit, node.lastIndex]).toEqual([2, 2]);
  });

  it("claims nothing that it does not hold", () => {
    const node = server([entry(1, 1)]);
    node.step({ kind: "heartbeat", from: 2, to: 1, term: 1, commit: 5, readRound: 0 });
    expect(node.commit).toBe(0);
  });

  it("ignores what is not for it, and what it never asked anybody", () => {
    const node = server([entry(1, 1)]);
    drain(node);
    node.step({ ...append, to: 3, term: 9, commit: 0 });
    node.step({ ...append, from: 1, term: 9, commit: 0 });
    node.step({ kind: "append-answer", from: 2, to: 1, term: 1, matchIndex: 1 });
    node.step({ kind: "vote-answer", from: 2, to: 1, term: 1, granted: true });
    expect([node.term, node.role, node.hasReady()]).toEqual([1, "follower", false]);
  });

  it("that is outside the configuration never campaigns, and says that it knows no leader", () => {
    const node = server([], { voters: [] });
    node.campaign();
    node.step({ ...append, prevIndex: 0, prevTerm: 0, term: 1, entries: [entry(1, 1)], commit: 0 });
    expect(node.leader).toBe(2);
    node.step({ kind: "timeout-now", from: 2, to: 1, term: 1 });
    for (let tick = 0; tick < 100; tick += 1) node.tick();
    expect([node.role, node.term, node.leader]).toEqual(["follower", 1, -1]);
    expect(node.readIndex(1)).toBe(false);
  });

  it("stops at once when two servers lead one term", () => {
    const node = server([]);
    node.step({ ...append, prevIndex: 0, prevTerm: 0, term: 4, commit: 0 });
    expect(() => node.step({ ...append, from: 3, term: 4, commit: 0 })).toThrow("one leader");
  });

  it("keeps its log when a snapshot is of what it holds, and drops it otherwise", () => {
    const install = { kind: "install-snapshot", from: 2, to: 1, term: 3 } as const;
    const snapshot: Snapshot = { index: 2, term: 1, voters: [1, 2, 3], data: NO_DATA };
    const held = server([entry(1, 1), entry(2, 1), entry(3, 1)]);
    held.step({ ...install, snapshot });
    expect([held.commit, held.lastIndex, held.snapshotIndex]).toEqual([2, 3, 0]);
    expect(drain(held)[0]?.snapshot).toBe(undefined);
    const other = server([entry(1, 1), entry(2, 1), entry(3, 1)]);
    other.step({ ...install, snapshot: { ...snapshot, term: 2 } });
    expect([other.commit, other.lastIndex, other.snapshotIndex]).toEqual([2, 2, 2]);
    const [ready] = drain(other);
    expect([ready?.snapshot?.index, ready?.entries, ready?.committed]).toEqual([2, [], []]);
    expect(other.applied).toBe(2);
  });
});

describe("a leader", () => {
  const answer = { kind: "append-answer", from: 2, to: 1 } as const;

  it("does not count what was acknowledged in an earlier term", () => {
    const node = leader([entry(1, 1), entry(2, 1)]);
    node.step({ ...answer, term: 1, matchIndex: 4 });
    expect(node.commit).toBe(0);
    node.step({ ...answer, term: 2, matchIndex: 4 });
    expect(node.commit).toBe(4);
  });

  it("commits entries of earlier terms only under one of its own", () => {
    const node = leader([entry(1, 1), entry(2, 1)]);
    node.step({ ...answer, term: 2, matchIndex: 2 });
    expect(node.commit).toBe(0);
    node.step({ ...answer, term: 2, matchIndex: 3 });
    expect(node.commit).toBe(3);
  });

  it("changes no voters before an entry of its own term is committed", () => {
    const entries = [entry(1, 1, [1, 2, 3]), entry(2, 1)];
    const restored = { hardState: { term: 1, vote: -1, commit: 2 }, entries };
    const node = leader([], { restored });
    expect(node.commit).toBe(2);
    expect(node.proposeConfiguration({ kind: "add", id: 4 })).toBe("in-progress");
    node.step({ ...answer, term: 2, matchIndex: 3 });
    expect(node.proposeConfiguration({ kind: "add", id: 4 })).toEqual({ index: 4, term: 2 });
    expect(node.proposeConfiguration({ kind: "add", id: 5 })).toBe("in-progress");
  });

  it("snapshots the configuration of the index, not a later one", () => {
    const node = leader();
    node.step({ ...answer, term: 1, matchIndex: 2 });
    drain(node);
    node.proposeConfiguration({ kind: "add", id: 4 });
    drain(node);
    expect(node.voters).toEqual([1, 2, 3, 4]);
    const snapshot = node.snapshotAt(2, NO_DATA);
    expect(snapshot).toEqual({ index: 2, term: 1, voters: [1, 2, 3], data: NO_DATA });
    if (snapshot !== undefined) node.compact(snapshot);
    expect([node.snapshotIndex, node.lastIndex, node.voters]).toEqual([2, 3, [1, 2, 3, 4]]);
    expect(node.snapshotAt(1, NO_DATA)).toBe(undefined);
    expect(() => node.snapshotAt(3, NO_DATA)).toThrow("applied");
  });

  it("begins anew with a voter that left and came back", () => {
    const node = leader();
    const answers = (matchIndex: number): void => {
      node.step({ ...answer, from: 2, term: 1, matchIndex });
      node.step({ ...answer, from: 3, term: 1, matchIndex });
    };
    answers(2);
    drain(node);
    node.proposeConfiguration({ kind: "remove", id: 3 });
    drain(node);
    node.step({ ...answer, from: 2, term: 1, matchIndex: 3 });
    expect(node.commit).toBe(3);
    expect(node.proposeConfiguration({ kind: "add", id: 3 })).toEqual({ index: 4, term: 1 });
    expect(node.peers.find(({ id }) => id === 3)?.matchIndex).toBe(0);
  });

  it("counts nothing that a lost disk held", () => {
    const node = leader();
    node.propose(NO_DATA);
    drain(node);
    node.step({ ...answer, from: 3, term: 1, matchIndex: 2 });
    expect(node.commit).toBe(2);
    node.forget(3);
    expect(node.peers.find(({ id }) => id === 3)).toMatchObject({ state: "probe", matchIndex: 0 });
    // It holds nothing, and says so: it gets everything.
    const refusal = { kind: "append-refusal", from: 3, to: 1, term: 1 } as const;
    drain(node);
    node.step({ ...refusal, prevIndex: 3, hintIndex: 0, hintTerm: 0 });
    expect(sent(node)).toMatchObject([{ to: 3, prevIndex: 0, entries: [{}, {}, {}] }]);
    node.forget(9);
    expect(node.peers.map(({ id }) => id)).toEqual([2, 3]);
  });

  it("ignores answers of servers that it does not send to", () => {
    const node = leader();
    node.step({ ...answer, from: 9, term: 1, matchIndex: 2 });
    expect(node.commit).toBe(0);
  });

  it("stops when a follower claims more than it was sent", () => {
    const node = leader();
    expect(() => node.step({ ...answer, term: 1, matchIndex: 99 })).toThrow("no more than");
  });

  it("sends no snapshot to a server that does not answer, until it does", () => {
    const node = leader();
    node.step({ ...answer, from: 2, term: 1, matchIndex: 2 });
    drain(node);
    const snapshot = node.snapshotAt(2, NO_DATA);
    if (snapshot !== undefined) node.compact(snapshot);
    for (let tick = 0; tick < 12; tick += 1) {
      node.tick();
      node.step({ kind: "heartbeat-answer", from: 2, to: 1, term: 1, readRound: 0 });
    }
    sent(node);
    node.peerLost(3);
    expect(sent(node).map(({ to, kind }) => `${to} ${kind}`)).toEqual([]);
    node.step({
      kind: "append-refusal",
      from: 3,
      to: 1,
      term: 1,
      prevIndex: 0,
      hintIndex: 0,
      hintTerm: 0,
    });
    expect(sent(node).map(({ to, kind }) => `${to} ${kind}`)).toEqual(["3 install-snapshot"]);
  });
});

describe("building a RaftNode", () => {
  it("refuses options that cannot work, all of them by name", () => {
    expect(() => server([], { electionTicks: 1, inflightMax: 0 })).toThrow(
      /electionTicks.*inflightMax|inflightMax.*electionTicks/,
    );
  });

  it("prefers the configuration of the log to the one it was started with", () => {
    expect(server([entry(1, 1, [1, 2])], { voters: [7, 8] }).voters).toEqual([1, 2]);
    expect(server([entry(1, 1)], { voters: [7, 8] }).voters).toEqual([7, 8]);
  });
});
