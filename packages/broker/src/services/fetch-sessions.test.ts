import { describe, expect, it } from "vitest";
import {
  type FetchOutcome,
  type FetchSessionRequest,
  FetchSessions,
  type FetchTurn,
  type FetchWanted,
} from "./fetch-sessions.js";

const NO_ID = "AAAAAAAAAAAAAAAAAAAAAA";

function wanted(partition: number, offset = 0, topic = "t"): FetchWanted {
  return {
    topic,
    topicId: NO_ID,
    partition,
    offset,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    bytesMax: 1_000,
  };
}

function request(
  sessionId: number,
  sessionEpoch: number,
  partitions: readonly FetchWanted[] = [],
  other: Partial<FetchSessionRequest> = {},
): FetchSessionRequest {
  const forgotten: FetchSessionRequest["forgotten"] = [];
  return { sessionId, sessionEpoch, usesTopicIds: false, wanted: partitions, forgotten, ...other };
}

const QUIET: FetchOutcome = {
  isRefused: false,
  isDiverging: false,
  recordBytes: 0,
  highWatermark: 5,
  logStartOffset: 0,
};

function sessions(options: { sessionsMax?: number; partitionsMax?: number } = {}): FetchSessions {
  let last = 100;
  return new FetchSessions({
    sessionsMax: 1_000,
    partitionsMax: 1_000,
    idleMs: 120_000,
    newId: () => {
      last += 1;
      return last;
    },
    ...options,
  });
}

function opened(turn: ReturnType<FetchSessions["open"]>): FetchTurn {
  if ("code" in turn) throw new Error(`refused with ${turn.code}`);
  return turn;
}

/** Partitions that the turn reads, and those of them that the answer has. */
function told(turn: FetchTurn, outcome: (partition: number) => FetchOutcome = () => QUIET) {
  const reads = turn.wanted.map(({ partition }) => partition);
  return {
    reads,
    told: reads.filter((partition, index) => turn.tells(index, outcome(partition))),
  };
}

/** A session of partitions 0 to 2 that has had its first answer. */
function begun(cache: FetchSessions): number {
  const turn = opened(cache.open(request(0, 0, [wanted(0), wanted(1), wanted(2)]), 0));
  told(turn);
  return turn.sessionId;
}

describe(FetchSessions, () => {
  it("reads what is asked for, and keeps nothing, for a client without sessions", () => {
    const cache = sessions();
    const turn = opened(cache.open(request(0, -1, [wanted(3), wanted(1)]), 0));
    expect(turn.sessionId).toBe(0);
    expect(told(turn)).toEqual({ reads: [3, 1], told: [3, 1] });
    expect(cache.sessionCount).toBe(0);
  });

  it("begins a session with everything that is asked for", () => {
    const cache = sessions();
    const turn = opened(cache.open(request(0, 0, [wanted(0), wanted(1)]), 0));
    expect(turn.sessionId).toBe(101);
    expect(told(turn)).toEqual({ reads: [0, 1], told: [0, 1] });
    expect([cache.sessionCount, cache.partitionCount]).toEqual([1, 2]);
  });

  it("keeps no session of nothing", () => {
    expect(opened(sessions().open(request(0, 0), 0)).sessionId).toBe(0);
  });

  it("reads all of a session when nothing is asked for, and tells what is news", () => {
    const cache = sessions();
    const id = begun(cache);
    const outcomes: readonly FetchOutcome[] = [
      QUIET,
      { ...QUIET, highWatermark: 6 },
      { ...QUIET, logStartOffset: 1 },
    ];
    const turn = opened(cache.open(request(id, 1), 0));
    expect(turn.sessionId).toBe(id);
    expect(told(turn, (partition) => outcomes[partition] as FetchOutcome)).toEqual({
      reads: [0, 1, 2],
      told: [1, 2],
    });
    expect(
      told(opened(cache.open(request(id, 2), 0)), (at) => outcomes[at] as FetchOutcome),
    ).toEqual({ reads: [0, 1, 2], told: [] });
  });

  it.each([
    ["a refusal", { ...QUIET, isRefused: true, highWatermark: -1 }],
    ["records", { ...QUIET, recordBytes: 10 }],
    ["a place where logs part", { ...QUIET, isDiverging: true }],
  ])("tells %s each time", (_what, outcome) => {
    const cache = sessions();
    const id = begun(cache);
    for (const epoch of [1, 2]) {
      const turn = opened(cache.open(request(id, epoch), 0));
      expect(told(turn, (at) => (at === 1 ? outcome : QUIET)).told).toEqual([1]);
    }
  });

  it("tells what follows a refusal, though it is as before", () => {
    const cache = sessions();
    const id = begun(cache);
    const refused = { ...QUIET, isRefused: true, highWatermark: -1, logStartOffset: -1 };
    told(opened(cache.open(request(id, 1), 0)), (at) => (at === 0 ? refused : QUIET));
    expect(told(opened(cache.open(request(id, 2), 0))).told).toEqual([0]);
    expect(told(opened(cache.open(request(id, 3), 0))).told).toEqual([]);
  });

  it("puts who was served behind the others", () => {
    const cache = sessions();
    const id = begun(cache);
    const served = { ...QUIET, recordBytes: 10 };
    told(opened(cache.open(request(id, 1), 0)), (at) => (at === 0 ? served : QUIET));
    expect(told(opened(cache.open(request(id, 2), 0))).reads).toEqual([1, 2, 0]);
  });

  it("takes changes, additions and what is forgotten", () => {
    const cache = sessions();
    const id = begun(cache);
    const changes = request(id, 1, [wanted(1, 7), wanted(9)], { forgotten: [wanted(0)] });
    const turn = opened(cache.open(changes, 0));
    expect(turn.wanted.map(({ partition, offset }) => [partition, offset])).toEqual([
      [1, 7],
      [2, 0],
      [9, 0],
    ]);
    // The changed one is known already; of the new one nothing has been told yet.
    expect(told(turn).told).toEqual([9]);
    expect(cache.partitionCount).toBe(3);
  });

  it("ends a session that has become empty", () => {
    const cache = sessions();
    const id = begun(cache);
    const forgotten = [wanted(0), wanted(1), wanted(2)];
    const turn = opened(cache.open(request(id, 1, [], { forgotten }), 0));
    expect([turn.sessionId, turn.wanted]).toEqual([0, []]);
    expect([cache.sessionCount, cache.partitionCount]).toEqual([0, 0]);
  });

  it.each([
    ["ends the old session, and begins another", 0, 102],
    ["ends the old session, and begins none", -1, 0],
  ])("%s", (_what, epoch, newId) => {
    const cache = sessions();
    const id = begun(cache);
    const turn = opened(cache.open(request(id, epoch, [wanted(0)]), 0));
    expect(turn.sessionId).toBe(newId);
    expect(cache.open(request(id, 1), 0)).toEqual({ code: "FETCH_SESSION_ID_NOT_FOUND" });
  });

  it.each([
    ["a session that there is not", 7, 1, false, "FETCH_SESSION_ID_NOT_FOUND"],
    ["no session", 0, 1, false, "FETCH_SESSION_ID_NOT_FOUND"],
    ["an epoch that is over", 101, 3, false, "INVALID_FETCH_SESSION_EPOCH"],
    ["topics by id in a session by name", 101, 1, true, "FETCH_SESSION_TOPIC_ID_ERROR"],
  ])("refuses %s", (_what, id, epoch, usesTopicIds, code) => {
    const cache = sessions();
    begun(cache);
    expect(cache.open(request(id, epoch, [], { usesTopicIds }), 0)).toEqual({ code });
    // And the session goes on as if nothing had been.
    expect(opened(cache.open(request(101, 1), 0)).sessionId).toBe(101);
  });

  it("counts a request once it was taken: the same again is refused", () => {
    const cache = sessions();
    const id = begun(cache);
    opened(cache.open(request(id, 1), 0));
    expect(cache.open(request(id, 1), 0)).toEqual({ code: "INVALID_FETCH_SESSION_EPOCH" });
    opened(cache.open(request(id, 2), 0));
  });

  it("begins no session while all places are taken, then lets idle ones go", () => {
    const cache = sessions({ sessionsMax: 1 });
    begun(cache);
    const other = request(0, 0, [wanted(0)]);
    expect(opened(cache.open(other, 119_999)).sessionId).toBe(0);
    expect(opened(cache.open(other, 120_000)).sessionId).toBe(102);
    expect(cache.sessionCount).toBe(1);
  });

  it("lets an old session go for a larger one, and for no smaller one", () => {
    const cache = sessions({ sessionsMax: 1 });
    const id = begun(cache);
    opened(cache.open(request(id, 1), 200_000));
    const smaller = request(0, 0, [wanted(0)]);
    expect(opened(cache.open(smaller, 200_001)).sessionId).toBe(0);
    const larger = request(
      0,
      0,
      [0, 1, 2, 3].map((partition) => wanted(partition)),
    );
    expect(opened(cache.open(larger, 200_001)).sessionId).toBe(102);
  });

  it("remembers so many partitions and no more, also of one session that grows", () => {
    const cache = sessions({ partitionsMax: 4 });
    const id = begun(cache);
    expect(opened(cache.open(request(0, 0, [wanted(0), wanted(1)]), 0)).sessionId).toBe(0);
    const growth = request(id, 1, [wanted(3), wanted(4)]);
    expect(cache.open(growth, 0)).toEqual({ code: "FETCH_SESSION_ID_NOT_FOUND" });
    expect([cache.sessionCount, cache.partitionCount]).toEqual([0, 0]);
  });
});
