/**
 * Calls `onDue(index)` by a plan. A thread of its own keeps the time: timers of the event loop have
 * whole milliseconds, which is as long as what is measured here.
 */
import { Worker } from "node:worker_threads";
import { monotonicMs } from "./monotonic.mjs";

/** Resolves once every call of the plan was made. */
export async function pace(plan, onDue) {
  const worker = new Worker(new URL("./pacer-thread.mjs", import.meta.url), {
    workerData: { startMs: plan.startMs, intervalMs: plan.intervalMs, count: plan.count },
  });
  try {
    await new Promise((resolve, reject) => {
      worker.on("error", reject);
      worker.on("message", () => {
        try {
          const { from, to } = plan.take(monotonicMs());
          for (let index = from; index < to; index += 1) onDue(index);
          if (plan.isOver) resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  } finally {
    await worker.terminate();
  }
}
