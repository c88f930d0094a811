import { describe, expect, it } from "vitest";
import { Iterations } from "./iterations.js";

describe("iterations", () => {
  it("hand out what is there, wait for what comes, and end together", async () => {
    const items = ["a"];
    let isOver = false;
    const iterations = new Iterations(() => isOver);
    const take = (): string | undefined => items.shift();
    const one = iterations.begin(take, undefined);
    const other = iterations.begin(take, undefined);
    expect(await one.next()).toEqual({ done: false, value: "a" });
    const waiting = [one.next(), other.next()];
    items.push("b", "c");
    iterations.wake();
    expect((await Promise.all(waiting)).map(({ value }) => value)).toEqual(["b", "c"]);
    const last = [one.next(), other.next()];
    isOver = true;
    iterations.wake();
    expect((await Promise.all(last)).map(({ done }) => done)).toEqual([true, true]);
  });

  it("throw to whoever gave up, and to nobody else", async () => {
    const items: string[] = [];
    const iterations = new Iterations(() => false);
    const take = (): string | undefined => items.shift();
    const controller = new AbortController();
    const aborted = iterations.begin(take, controller.signal).next();
    const other = iterations.begin(take, undefined).next();
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    items.push("a");
    iterations.wake();
    expect(await other).toEqual({ done: false, value: "a" });
  });
});
