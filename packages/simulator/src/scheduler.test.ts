import { describe, expect, it } from "vitest";
import type { Owner, SimEvent } from "./event-heap.js";
import { Scheduler } from "./scheduler.js";
import { Trace } from "./trace.js";

interface TestOwner extends Owner {
  state: Owner["state"];
}

function owner(number = 1): TestOwner {
  return { number, state: "running", held: [] as SimEvent[] };
}

function newScheduler(errors: unknown[] = []): Scheduler {
  return new Scheduler(new Trace(), (error) => errors.push(error));
}

const FOREVER = { untilUs: 1_000_000_000, isDone: undefined };

async function deep(levels: number): Promise<void> {
  if (levels > 0) await deep(levels - 1);
  await Promise.resolve();
}

describe(Scheduler, () => {
  it("runs out every promise of an event before the next, however deep the chain", async () => {
    const scheduler = newScheduler();
    const order: string[] = [];
    scheduler.schedule(undefined, 10, {
      kind: "test",
      run: () => {
        order.push("first");
        deep(5_000).then(
          () => order.push("first's promises"),
          () => order.push("failed"),
        );
      },
    });
    scheduler.schedule(undefined, 10, { kind: "test", run: () => order.push("second") });
    await scheduler.run(FOREVER);
    expect(order).toEqual(["first", "first's promises", "second"]);
  });

  it("jumps to the time of each event, and to the end when none is left", async () => {
    const scheduler = newScheduler();
    const times: number[] = [];
    for (const delayUs of [500, 20, 20_000_000]) {
      const run = (): void => void times.push(scheduler.nowUs);
      scheduler.schedule(undefined, delayUs, { kind: "test", run });
    }
    expect(await scheduler.run({ untilUs: 1_000, isDone: undefined })).toBe("time");
    expect(times).toEqual([20, 500]);
    expect(scheduler.nowUs).toBe(1_000);
    await scheduler.run(FOREVER);
    expect(times).toEqual([20, 500, 20_000_000]);
  });

  it("drops what belongs to the dead, and does not run what was cancelled", async () => {
    const scheduler = newScheduler();
    const dead = owner();
    const ran: string[] = [];
    scheduler.schedule(dead, 10, { kind: "test", run: () => ran.push("dead") });
    const event = scheduler.schedule(owner(2), 10, {
      kind: "test",
      run: () => ran.push("cancelled"),
    });
    scheduler.schedule(owner(3), 10, { kind: "test", run: () => ran.push("alive") });
    dead.state = "dead";
    scheduler.cancel(event);
    await scheduler.run(FOREVER);
    expect(ran).toEqual(["alive"]);
  });

  it("holds back what belongs to a paused owner, and lets it go in order at the resume", async () => {
    const scheduler = newScheduler();
    const paused = owner();
    const ran: string[] = [];
    const note = (text: string) => () => void ran.push(`${text} at ${scheduler.nowUs}`);
    scheduler.schedule(paused, 30, { kind: "test", run: note("second") });
    scheduler.schedule(paused, 10, { kind: "test", run: note("first") });
    scheduler.schedule(owner(2), 20, { kind: "test", run: note("other") });
    paused.state = "paused";
    await scheduler.run({ untilUs: 100, isDone: undefined });
    expect(ran).toEqual(["other at 20"]);
    paused.state = "running";
    scheduler.releaseHeld(paused);
    await scheduler.run({ untilUs: 200, isDone: undefined });
    expect(ran).toEqual(["other at 20", "first at 100", "second at 100"]);
  });

  it("ends when the predicate holds, and when it is stopped", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const again = (): void => {
      count++;
      if (count === 20) scheduler.stop();
      scheduler.schedule(undefined, 10, { kind: "test", run: again });
    };
    again();
    expect(await scheduler.run({ ...FOREVER, isDone: () => count === 5 })).toBe("done");
    expect(count).toBe(5);
    expect(await scheduler.run(FOREVER)).toBe("stopped");
    expect(count).toBe(20);
  });

  it("reports an endless chain of events at one instant", async () => {
    const errors: unknown[] = [];
    const scheduler: Scheduler = new Scheduler(new Trace(), (error) => {
      errors.push(error);
      scheduler.stop();
    });
    const again = (): void => {
      scheduler.schedule(undefined, 0, { kind: "test", run: again });
    };
    again();
    expect(await scheduler.run(FOREVER)).toBe("stopped");
    expect(String(errors[0])).toMatch(/virtual time does not stand still/);
  });

  it("reports what an event threw", async () => {
    const errors: unknown[] = [];
    const scheduler = newScheduler(errors);
    scheduler.schedule(owner(), 1, {
      kind: "test",
      run: () => {
        throw new Error("broken event");
      },
    });
    await scheduler.run(FOREVER);
    expect(errors).toEqual([new Error("broken event")]);
  });

  it("runs a hundred thousand events, each with a chain of promises behind it", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const again = (): void => {
      count++;
      deep(3).then(
        () => undefined,
        () => undefined,
      );
      scheduler.schedule(undefined, 1 + (count % 7), { kind: "test", run: again });
    };
    for (let chain = 0; chain < 100; chain++) again();
    await scheduler.run({ ...FOREVER, isDone: () => count >= 100_000 });
    expect(count).toBeGreaterThanOrEqual(100_000);
  });
});
