import { describe, expect, it } from "vitest";
import { SerialQueue } from "./serial-queue.js";

describe(SerialQueue, () => {
  it("runs one task at a time, in order", async () => {
    const events: string[] = [];
    const queue = new SerialQueue(() => undefined);
    const task = (name: string) => async (): Promise<void> => {
      events.push(`${name} begins`);
      await Promise.resolve();
      events.push(`${name} ends`);
    };
    await Promise.all([queue.run(task("a")), queue.run(task("b"))]);
    expect(events).toEqual(["a begins", "a ends", "b begins", "b ends"]);
    expect(queue.isBusy).toBe(false);
  });

  it("goes on after a task that failed, and tells its owner", async () => {
    const errors: unknown[] = [];
    const queue = new SerialQueue((error) => errors.push(error));
    const failure = new Error("disk");
    let hasRun = false;
    await queue.run(async () => {
      throw failure;
    });
    await queue.run(async () => {
      hasRun = true;
    });
    expect(errors).toEqual([failure]);
    expect(hasRun).toBe(true);
  });
});
