/** The thread that keeps a pacer's time: it sleeps until a call is due, and says so. */
import { parentPort, workerData } from "node:worker_threads";
import { monotonicMs } from "./monotonic.mjs";

const { startMs, intervalMs, count } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));
for (let index = 0; index < count; index += 1) {
  const dueAtMs = startMs + index * intervalMs;
  for (;;) {
    const leftMs = dueAtMs - monotonicMs();
    if (leftMs <= 0) break;
    Atomics.wait(never, 0, 0, leftMs);
  }
  parentPort.postMessage(index);
}
