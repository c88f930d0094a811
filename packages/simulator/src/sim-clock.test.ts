import { describe, expect, it } from "vitest";
import { Incarnation } from "./incarnation.js";
import { SimRandom } from "./random.js";
import { Scheduler } from "./scheduler.js";
import { simClock, simTimers } from "./sim-clock.js";
import { Trace } from "./trace.js";

function newNode(breaches: string[] = []) {
  const scheduler = new Scheduler(new Trace(), (error) => {
    throw error;
  });
  const onBreach = (_node: string, message: string): void => void breaches.push(message);
  const onBug = (_node: string, error: unknown): void => void breaches.push(String(error));
  const options = { node: "a", number: 1, generation: 1, onBreach, onBug };
  const incarnation = new Incarnation(scheduler, options);
  const random = SimRandom.fromSeed(1);
  const wall = { skewMs: 0 };
  const clock = simClock(incarnation, wall, random);
  const timers = simTimers(incarnation, { timerLatenessUsMax: 1_000 }, random);
  const pass = (ms: number) => {
    return scheduler.run({ untilUs: scheduler.nowUs + ms * 1000, isDone: undefined });
  };
  return { incarnation, wall, clock, timers, pass };
}

describe("simulated clock and timers", () => {
  it("move together, while the wall may be moved on its own", async () => {
    const { wall, clock, pass } = newNode();
    const monotonicMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    await pass(250);
    expect(clock.monotonicMs() - monotonicMs).toBeCloseTo(250);
    expect(clock.wallMs() - wallMs).toBe(250);
    wall.skewMs = -3_600_000;
    expect(clock.wallMs() - wallMs).toBe(250 - 3_600_000);
    expect(clock.monotonicMs() - monotonicMs).toBeCloseTo(250);
  });

  it("call back at the time that was asked for or a little later, never before", async () => {
    const { clock, timers, pass } = newNode();
    const startMs = clock.monotonicMs();
    const waits: number[] = [];
    for (let timer = 0; timer < 100; timer++) {
      timers.after(20, () => waits.push(clock.monotonicMs() - startMs));
    }
    await pass(100);
    expect(waits.length).toBe(100);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...waits)).toBeLessThanOrEqual(21);
    expect(new Set(waits).size).toBeGreaterThan(10);
  });

  it("do not call back once cancelled", async () => {
    const { timers, pass } = newNode();
    let isCalled = false;
    const timer = timers.after(20, () => {
      isCalled = true;
    });
    timer.cancel();
    timer.cancel();
    await pass(100);
    expect(isCalled).toBe(false);
  });

  it("take at least a millisecond, as Node's do", async () => {
    const { clock, timers, pass } = newNode();
    const startMs = clock.monotonicMs();
    let waitedMs = 0;
    timers.after(0, () => {
      waitedMs = clock.monotonicMs() - startMs;
    });
    await pass(10);
    expect(waitedMs).toBeGreaterThanOrEqual(1);
  });

  it("call a wait that Node cannot keep a breach of contract", () => {
    const breaches: string[] = [];
    const { timers } = newNode(breaches);
    timers.after(Number.POSITIVE_INFINITY, () => undefined);
    timers.after(Number.NaN, () => undefined);
    timers.after(2 ** 31, () => undefined);
    expect(breaches.length).toBe(3);
  });

  it("never call back in a dead process", async () => {
    const { incarnation, timers, pass } = newNode();
    let isCalled = false;
    const call = (): void => {
      isCalled = true;
    };
    timers.after(20, call);
    incarnation.die();
    timers.after(20, call);
    await pass(100);
    expect(isCalled).toBe(false);
  });
});
