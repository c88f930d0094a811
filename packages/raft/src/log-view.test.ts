import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogView } from "./log-view.js";
import type { Entry, Snapshot } from "./messages.js";
import { encodeVoters } from "./voters.js";

function entry(index: number, term: number, size = 0): Entry {
  return { index, term, type: "data", data: new Uint8Array(size) };
}

function snapshot(index: number, term: number): Snapshot {
  return { index, term, voters: [1, 2, 3], data: new Uint8Array(0) };
}

/** A log that begins after `base`, with one entry for each of `terms`, all of it durable. */
function log(terms: readonly number[], base = snapshot(0, 0), commit = base.index): LogView {
  const entries = terms.map((term, at) => entry(base.index + 1 + at, term));
  return new LogView({ snapshot: base, entries, commit, applied: base.index });
}

function terms(view: LogView): (number | undefined)[] {
  const { index } = view.snapshot;
  return Array.from({ length: view.lastIndex - index }, (_, at) => view.termAt(index + 1 + at));
}

describe(LogView, () => {
  it("refuses what does not continue the log, and keeps it", () => {
    const view = log([1, 1, 2]);
    expect(view.takeOver(4, 2, [entry(5, 2)])).toBe(undefined);
    expect(view.takeOver(3, 1, [entry(4, 2)])).toBe(undefined);
    expect(terms(view)).toEqual([1, 1, 2]);
  });

  it("truncates at the first conflict only", () => {
    const view = log([1, 1, 1, 1]);
    expect(view.takeOver(1, 1, [entry(2, 1), entry(3, 2)])).toBe(3);
    expect(terms(view)).toEqual([1, 1, 2]);
    expect(view.stable).toBe(2);
  });

  it("keeps what follows when a late append brings nothing new", () => {
    const view = log([1, 1, 1, 1]);
    expect(view.takeOver(0, 0, [entry(1, 1), entry(2, 1)])).toBe(2);
    expect(terms(view)).toEqual([1, 1, 1, 1]);
    expect(view.stable).toBe(4);
  });

  it("takes over what reaches from below the snapshot to beyond the log", () => {
    const view = log([2], snapshot(5, 1));
    expect(view.takeOver(3, 1, [entry(4, 1), entry(5, 1), entry(6, 2), entry(7, 2)])).toBe(7);
    expect(terms(view)).toEqual([2, 2]);
    expect(view.takeOver(1, 1, [entry(2, 1)])).toBe(5);
  });

  it("never truncates what is committed", () => {
    const view = log([1, 1, 1], snapshot(0, 0), 3);
    expect(() => view.takeOver(1, 1, [entry(2, 2), entry(3, 2), entry(4, 2)])).toThrow(
      "committed is never truncated",
    );
    expect(() =>
      log([1, 1, 1], snapshot(0, 0), 3).takeOver(2, 2, [entry(3, 2), entry(4, 2)]),
    ).toThrow("committed logs are equal");
  });

  it("fills a message up to its bound, with one entry at least", () => {
    const entries = [entry(1, 1, 10), entry(2, 1, 100), entry(3, 1, 10), entry(4, 1, 10)];
    const view = new LogView({ snapshot: snapshot(0, 0), entries, commit: 0, applied: 0 });
    const taken = (from: number, bytesMax: number): number[] =>
      view.slice(from, bytesMax).map(({ index }) => index);
    expect(taken(1, 1)).toEqual([1]);
    expect(taken(1, 34 + 124)).toEqual([1, 2]);
    expect(taken(2, 10_000)).toEqual([2, 3, 4]);
    expect(taken(5, 10_000)).toEqual([]);
  });

  it("holds an entry durable only while it is the one that was written", () => {
    const view = log([1, 1]);
    view.append(entry(3, 2));
    view.append(entry(4, 2));
    const written = view.unstable();
    // Another leader replaces the second of them while both are being written.
    view.takeOver(3, 2, [entry(4, 3)]);
    view.markStable(written);
    expect(view.stable).toBe(3);
    expect(view.unstable()).toEqual([entry(4, 3)]);
  });

  it("has nothing to apply twice when a snapshot arrives while entries are being applied", () => {
    const view = log([1, 1, 1], snapshot(0, 0), 3);
    expect(view.unapplied().length).toBe(3);
    const first = snapshot(8, 2);
    const second = snapshot(9, 2);
    view.install(first);
    view.install(second);
    expect(view.unapplied()).toEqual([]);
    view.markApplied(3);
    view.markInstalled(first);
    expect(view.pendingSnapshot).toBe(second);
    view.markInstalled(second);
    expect([view.pendingSnapshot, view.applied, view.stable]).toEqual([undefined, 9, 9]);
  });

  it("compacts what is applied, and keeps what follows", () => {
    const view = log([1, 1, 2, 2], snapshot(0, 0), 4);
    expect(() => view.compact(snapshot(3, 2))).toThrow("applied");
    view.markApplied(3);
    expect(() => view.compact(snapshot(3, 1))).toThrow("term of its index");
    view.compact(snapshot(3, 2));
    expect(terms(view)).toEqual([2]);
    expect([view.termAt(3), view.termAt(2), view.lastIndex]).toEqual([2, undefined, 4]);
    view.compact(snapshot(1, 1));
    expect(view.snapshot.index).toBe(3);
    expect(view.unapplied().map(({ index }) => index)).toEqual([4]);
  });

  it("takes a configuration back when its entry is truncated", () => {
    const view = log([1, 1]);
    view.append({ index: 3, term: 1, type: "configuration", data: encodeVoters([1, 2]) });
    expect([view.voters, view.votersIndex]).toEqual([[1, 2], 3]);
    view.takeOver(2, 1, [entry(3, 2)]);
    expect([view.voters, view.votersIndex]).toEqual([[1, 2, 3], 0]);
  });

  it("counts the restored snapshot as committed and applied, and ignores entries below it", () => {
    const entries = [entry(3, 1), entry(4, 1), entry(5, 1), entry(6, 2)];
    const view = new LogView({ snapshot: snapshot(5, 1), entries, commit: 2, applied: 0 });
    expect([view.commit, view.applied, view.lastIndex]).toEqual([5, 5, 6]);
  });
});

describe("finding where two logs agree", () => {
  const ascending = fc.array(fc.nat({ max: 3 }), { maxLength: 12 }).map((steps) => {
    let term = 1;
    return steps.map((step) => (term += step === 3 ? 1 : 0));
  });

  it("never skips the agreement, and takes an exchange per term at most", () => {
    fc.assert(
      fc.property(ascending, ascending, fc.nat({ max: 12 }), (shared, ours, theirTail) => {
        const base = shared.at(-1) ?? 1;
        const leader = log([...shared, ...ours.map((term) => base + term)]);
        const follower = log([...shared, ...Array.from({ length: theirTail }, () => base + 1)]);
        // Equal terms in the tails may make the logs agree further than they were built to.
        let agreement = Math.min(leader.lastIndex, follower.lastIndex);
        while (leader.termAt(agreement) !== follower.termAt(agreement)) agreement -= 1;
        let prev = leader.lastIndex;
        let exchanges = 0;
        while (follower.termAt(prev) !== leader.termAt(prev)) {
          const hint = follower.agreementAt(prev, leader.termAt(prev) ?? 0);
          const next = Math.min(prev - 1, leader.agreementAt(hint.index, hint.term).index);
          expect(next).toBeGreaterThanOrEqual(agreement);
          prev = next;
          exchanges += 1;
        }
        expect(prev).toBe(agreement);
        expect(exchanges).toBeLessThanOrEqual(new Set(ours).size + 2);
      }),
    );
  });
});
