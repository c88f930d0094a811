import type { Timers } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { LeadingWaiters } from "./leading-waiters.js";

/** Waiters for the keys in `notLed`, and a way to let their time pass. */
function waiting(...keys: string[]) {
  const callbacks = new Set<() => void>();
  const timers: Timers = {
    after: (_delayMs, callback) => {
      callbacks.add(callback);
      return { cancel: () => callbacks.delete(callback) };
    },
  };
  const notLed = new Set(keys);
  const waiters = new LeadingWaiters(timers);
  const answers: boolean[] = [];
  const answer = waiters
    .until(() => [...notLed], 1_000)
    .then((isLeading) => answers.push(isLeading));
  const pass = () => {
    for (const callback of [...callbacks]) callback();
  };
  return { waiters, notLed, answer, answers, pass, timers: callbacks };
}

describe(LeadingWaiters, () => {
  it("answers at once when nothing is missing", async () => {
    const { answer, answers, timers } = waiting();
    await answer;
    expect(answers).toEqual([true]);
    expect(timers.size).toBe(0);
  });

  it("answers with the last partition that is led", async () => {
    const { waiters, answer, answers, timers } = waiting("t-0", "t-3");
    waiters.led("t-3");
    waiters.led("t-9");
    await Promise.resolve();
    expect(answers).toEqual([]);
    waiters.led("t-0");
    await answer;
    expect(answers).toEqual([true]);
    expect(timers.size).toBe(0);
  });

  it("waits no longer for a partition that has gone to another broker", async () => {
    const { waiters, notLed, answer, answers } = waiting("t-0", "t-3");
    waiters.led("t-0");
    notLed.clear();
    waiters.metadataChanged();
    await answer;
    expect(answers).toEqual([true]);
  });

  it("says so when the time is over", async () => {
    const { waiters, answer, answers, pass } = waiting("t-0");
    pass();
    await answer;
    expect(answers).toEqual([false]);
    waiters.led("t-0");
    expect(answers).toEqual([false]);
  });

  it("says so when the broker stops", async () => {
    const { waiters, answer, answers, timers } = waiting("t-0");
    waiters.close();
    await answer;
    expect(answers).toEqual([false]);
    expect(timers.size).toBe(0);
  });
});
