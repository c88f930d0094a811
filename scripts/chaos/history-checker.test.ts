import { describe, expect, it } from "vitest";
import { History } from "./history.mjs";
import { checkHistory } from "./history-checker.mjs";

const FINGERPRINT = 7;

interface Place {
  readonly sequence: number;
  readonly offset: number;
  readonly fingerprint?: number;
}

/**
 * One producer, one partition: `sent` records, acknowledged at the offset of their number unless
 * `acknowledged` says otherwise.
 */
function writtenHistory(sent: number, acknowledged?: readonly Place[]): History {
  const history = new History({ producers: 1, partitions: 1 });
  const [records] = history.sent;
  for (let sequence = 0; sequence < sent; sequence += 1) records!.add(0, FINGERPRINT);
  const places =
    acknowledged ?? Array.from({ length: sent }, (_, at) => ({ sequence: at, offset: at }));
  for (const { sequence, offset } of places) records!.acknowledge(sequence, offset);
  return history;
}

function readWhole(history: History, places: readonly Place[], name = "reader"): void {
  const reading = history.readWhole(name);
  for (const { sequence, offset, fingerprint = FINGERPRINT } of places) {
    reading.read(0, offset, { producer: 0, sequence, fingerprint });
  }
  reading.end();
}

/** Records in this order, from offset 0 on. */
function log(...sequences: number[]): Place[] {
  return sequences.map((sequence, offset) => ({ sequence, offset }));
}

function findingsOf(history: History): Record<string, number> {
  const { findings } = checkHistory(history);
  return Object.fromEntries(findings.map(({ kind, count }) => [kind, count]));
}

function sentenceOf(history: History, kind: string): string {
  const found = checkHistory(history).findings.find((each) => each.kind === kind);
  return found?.examples[0] ?? "";
}

describe("history checker", () => {
  it("finds nothing wrong with a log that is what was promised", () => {
    const history = writtenHistory(4);
    const follower = history.follow("follower");
    for (const { sequence, offset } of log(0, 1, 2, 3)) {
      follower.read(0, offset, { producer: 0, sequence, fingerprint: FINGERPRINT });
    }
    readWhole(history, log(0, 1, 2, 3));
    expect(checkHistory(history)).toMatchObject({
      isOk: true,
      acknowledged: 4,
      unacknowledged: 0,
      read: 4,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      findings: [],
    });
  });

  it("tells of one lost record at the end of the log", () => {
    const history = writtenHistory(3);
    readWhole(history, log(0, 1));
    expect(findingsOf(history)).toEqual({ lost: 1 });
    expect(sentenceOf(history, "lost")).toContain("record 2 of producer 0, acknowledged at 0/2");
  });

  it("tells of one lost record in whose place lies another", () => {
    const history = writtenHistory(4, [
      { sequence: 0, offset: 0 },
      { sequence: 1, offset: 1 },
      { sequence: 3, offset: 2 },
    ]);
    readWhole(history, log(0, 2, 3));
    expect(findingsOf(history)).toEqual({ lost: 1 });
    expect(sentenceOf(history, "lost")).toContain("there lies record 2 of producer 0");
  });

  it("tells of one record that only one replica has lost", () => {
    const history = writtenHistory(3);
    readWhole(history, log(0, 1, 2), "a reader of broker 1");
    readWhole(history, log(0, 1), "a reader of broker 2");
    expect(findingsOf(history)).toEqual({ lost: 1, vanished: 1 });
    expect(sentenceOf(history, "vanished")).toBe(
      "a reader of broker 2 found nothing in [2, 3) of partition 0",
    );
  });

  it("tells of one duplicated record", () => {
    const history = writtenHistory(3, log(0, 1));
    readWhole(history, log(0, 1, 0));
    expect(findingsOf(history)).toEqual({ duplicated: 1 });
    expect(sentenceOf(history, "duplicated")).toBe("record 0 of producer 0 is at 0/0 and at 0/2");
  });

  it("tells of one duplicated record whose second place was acknowledged", () => {
    const history = writtenHistory(2, [{ sequence: 1, offset: 2 }]);
    readWhole(history, log(1, 1, 1));
    expect(findingsOf(history)).toEqual({ duplicated: 2 });
  });

  it("tells of one reordered record", () => {
    const history = writtenHistory(4, []);
    readWhole(history, log(0, 2, 1, 3));
    expect(findingsOf(history)).toEqual({ reordered: 1 });
    expect(sentenceOf(history, "reordered")).toContain("record 1 of producer 0 at 0/2");
  });

  it("tells of one changed record", () => {
    const history = writtenHistory(3);
    readWhole(history, [...log(0, 1), { sequence: 2, offset: 2, fingerprint: 8 }]);
    expect(findingsOf(history)).toEqual({ altered: 1 });
  });

  it("tells of one offset that was read twice with different contents", () => {
    const history = writtenHistory(4, log(0, 1, 2));
    const follower = history.follow("follower");
    for (const { sequence, offset } of log(0, 1, 3)) {
      follower.read(0, offset, { producer: 0, sequence, fingerprint: FINGERPRINT });
    }
    readWhole(history, log(0, 1, 2), "a reader of broker 1");
    readWhole(history, log(0, 1, 2), "a reader of broker 2");
    const findings = findingsOf(history);
    expect(findings).toEqual({ lost: 1, rewritten: 1 });
    expect(sentenceOf(history, "rewritten")).toBe(
      "a reader of broker 1 read at 0/2 record 2 of producer 0, " +
        "which was record 3 of producer 0 before",
    );
  });

  it("tells of one record acknowledged at an offset where another lies", () => {
    const history = writtenHistory(3, [
      { sequence: 0, offset: 0 },
      { sequence: 1, offset: 2 },
    ]);
    readWhole(history, log(0, 1, 2));
    expect(findingsOf(history)).toEqual({ misplaced: 1 });
    expect(sentenceOf(history, "misplaced")).toContain("acknowledged at 0/2, is at 0/1");
  });

  it("tells of a record that is in another partition than it was sent to", () => {
    const history = new History({ producers: 1, partitions: 2 });
    history.sent[0]!.add(0, FINGERPRINT);
    const reading = history.readWhole("reader");
    reading.read(1, 0, { producer: 0, sequence: 0, fingerprint: FINGERPRINT });
    reading.end();
    expect(findingsOf(history)).toEqual({ misplaced: 1 });
  });

  it("tells of a record that nobody sent", () => {
    const history = writtenHistory(1);
    readWhole(history, log(0, 1));
    expect(findingsOf(history)).toEqual({ unknown: 1 });
  });

  it("takes records that were not acknowledged once or not at all", () => {
    const history = writtenHistory(4, log(0));
    readWhole(history, log(0, 2));
    expect(checkHistory(history)).toMatchObject({
      isOk: true,
      unacknowledged: 3,
      unacknowledgedStored: 1,
    });
  });

  it("tells of offsets that a reader skips, and of those that it reads again", () => {
    const history = writtenHistory(3);
    const follower = history.follow("follower");
    for (const offset of [0, 2, 1]) {
      follower.read(0, offset, { producer: 0, sequence: offset, fingerprint: FINGERPRINT });
    }
    expect(findingsOf(history)).toEqual({ skipped: 1, repeated: 1 });
  });

  it("tells of an acknowledged record that one replica skips", () => {
    const history = writtenHistory(3);
    readWhole(history, log(0, 1, 2), "a reader of broker 1");
    readWhole(history, [log(0)[0]!, { sequence: 2, offset: 2 }], "a reader of broker 2");
    expect(findingsOf(history)).toEqual({ lost: 1, skipped: 1 });
  });

  it("keeps apart producers, whose records may come in any order", () => {
    const history = new History({ producers: 2, partitions: 1 });
    for (const [producer, offset] of [
      [0, 1],
      [1, 0],
    ] as const) {
      history.sent[producer]!.add(0, FINGERPRINT);
      history.sent[producer]!.acknowledge(0, offset);
    }
    const reading = history.readWhole("reader");
    reading.read(0, 0, { producer: 1, sequence: 0, fingerprint: FINGERPRINT });
    reading.read(0, 1, { producer: 0, sequence: 0, fingerprint: FINGERPRINT });
    reading.end();
    expect(findingsOf(history)).toEqual({});
  });
});
