import { describe, expect, it } from "vitest";
import { forbidRealWorld, watchProcess } from "./process-guard.js";

describe("the guard of the real world", () => {
  it("makes real time and chance throw while node code runs, and gives them back", () => {
    let isActive = true;
    const allow = forbidRealWorld(() => isActive);
    const thrown: string[] = [];
    for (const use of [
      () => Date.now(),
      () => Math.random(),
      () => performance.now(),
      () => setTimeout(() => undefined, 1),
      () => setImmediate(() => undefined),
      () => crypto.randomUUID(),
    ]) {
      try {
        use();
      } catch (error) {
        thrown.push(String(error));
      }
    }
    isActive = false;
    const real = Date.now();
    allow();
    expect(thrown.length).toBe(6);
    expect(thrown[0]).toContain("node code used now, which no seed decides");
    expect(real).toBeGreaterThan(0);
    isActive = true;
    expect(Date.now()).toBeGreaterThanOrEqual(real);
    expect(crypto.randomUUID()).toMatch(/-/);
  });

  it("takes over unhandled rejections for a while only", async () => {
    const before = process.listeners("unhandledRejection");
    const seen: unknown[] = [];
    const giveBack = watchProcess({
      onRejection: (reason) => seen.push(reason),
      onException: () => undefined,
    });
    void Promise.reject(new Error("nobody cares"));
    await new Promise((resolve) => setImmediate(resolve));
    giveBack();
    expect(seen).toEqual([new Error("nobody cares")]);
    expect(process.listeners("unhandledRejection")).toEqual(before);
  });
});
