import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deadlines } from "./deadlines.js";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Deadlines that write their name down when they happen. */
function named(...names: string[]) {
  const happened: string[] = [];
  const deadlines = new Deadlines<string[]>();
  const made = names.map((name) => deadlines.make((list) => void list.push(name)));
  return { deadlines, made, happened };
}

describe(Deadlines, () => {
  it("lets things happen in the order of their times, and of entry where these are equal", () => {
    const { deadlines, made, happened } = named("a", "b", "c", "d");
    [30, 10, 20, 10].forEach((atMs, at) => {
      made[at]?.set(atMs);
    });
    expect(deadlines.nextMs).toBe(10);
    deadlines.pass(20, happened);
    expect(happened).toEqual(["b", "d", "c"]);
    expect(deadlines.nextMs).toBe(30);
  });

  it("happens at the time that was set last, earlier or later than before", () => {
    const { deadlines, made, happened } = named("later", "earlier");
    const [later, earlier] = made;
    later?.set(10);
    later?.set(50);
    earlier?.set(40);
    earlier?.set(20);
    deadlines.pass(30, happened);
    expect(happened).toEqual(["earlier"]);
    deadlines.pass(50, happened);
    expect(happened).toEqual(["earlier", "later"]);
    expect(deadlines.nextMs).toBeUndefined();
  });

  it("lets nothing happen that was cancelled, and says that nothing is next", () => {
    const { deadlines, made, happened } = named("a");
    made[0]?.set(10);
    made[0]?.cancel();
    expect(deadlines.nextMs).toBeUndefined();
    deadlines.pass(100, happened);
    expect(happened).toEqual([]);
    made[0]?.set(200);
    deadlines.pass(200, happened);
    expect(happened).toEqual(["a"]);
  });

  it("agrees with a list that is searched, whatever is set and cancelled", () => {
    const change = fc.record({ at: fc.nat(7), atMs: fc.option(fc.nat(50)), passMs: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
        const { deadlines, made, happened } = named(...NAMES);
        const expected = new Map<number, number>();
        let nowMs = 0;
        for (const { at, atMs, passMs } of changes) {
          if (atMs === null) made[at]?.cancel();
          else made[at]?.set(nowMs + atMs);
          if (atMs === null) expected.delete(at);
          else expected.set(at, nowMs + atMs);
          nowMs += passMs;
          const due = [...expected].filter(([, dueMs]) => dueMs <= nowMs).map(([key]) => key);
          for (const key of due) expected.delete(key);
          happened.length = 0;
          deadlines.pass(nowMs, happened);
          expect([...happened].sort()).toEqual(due.map((key) => NAMES[key]).sort());
          const next = deadlines.nextMs ?? Number.POSITIVE_INFINITY;
          expect(next).toBeLessThanOrEqual(Math.min(...expected.values()));
        }
      }),
      { seed: 1 },
    );
  });
});
