import { describe, expect, it } from "vitest";
import { SharedRuns } from "./shared-runs.js";

/** Work that ends when it is told to. */
class Work {
  readonly begun: string[] = [];
  readonly #ends: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  readonly runs = new SharedRuns((key) => {
    this.begun.push(key);
    return new Promise((resolve, reject) => {
      this.#ends.push({ resolve, reject });
    });
  });

  async end(error?: Error): Promise<void> {
    const first = this.#ends.shift();
    if (error === undefined) first?.resolve();
    else first?.reject(error);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

describe(SharedRuns, () => {
  it("serves those who come during a run by one more run, begun after it", async () => {
    const work = new Work();
    const ended: number[] = [];
    for (let caller = 0; caller < 4; caller++) {
      work.runs.run("a").then(
        () => ended.push(caller),
        () => undefined,
      );
    }
    expect(work.begun).toEqual(["a"]);
    await work.end();
    expect(ended).toEqual([0]);
    expect(work.begun).toEqual(["a", "a"]);
    const late = work.runs.run("a");
    expect(work.begun).toHaveLength(2);
    await work.end();
    expect(ended).toEqual([0, 1, 2, 3]);
    await work.end();
    await late;
    expect(work.begun).toHaveLength(3);
  });

  it("runs for different keys side by side, and anew when nothing runs", async () => {
    const work = new Work();
    const both = [work.runs.run("a"), work.runs.run("b")];
    await work.end();
    await work.end();
    await Promise.all(both);
    const again = work.runs.run("a");
    expect(work.begun).toEqual(["a", "b", "a"]);
    await work.end();
    await again;
  });

  it("fails those whom the failed run was for, and nobody else", async () => {
    const work = new Work();
    const runs = [work.runs.run("a"), work.runs.run("a"), work.runs.run("a")];
    const settled = Promise.allSettled(runs);
    await work.end(new Error("disk"));
    await work.end();
    expect((await settled).map(({ status }) => status)).toEqual([
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
  });
});
