/** How long this disk takes for a small write and its sync: the floor of every acknowledgement. */
import { open } from "node:fs/promises";
import { percentile } from "../lab/percentile.mjs";

const WRITES = 200;

/** Median of appended writes of 4 KiB with fdatasync, in milliseconds. */
export async function syncMs(file) {
  const handle = await open(file, "w");
  const bytes = Buffer.alloc(4_096, 1);
  const times = [];
  try {
    for (let at = 0; at < WRITES; at += 1) {
      const startedAtMs = performance.now();
      await handle.write(bytes, 0, bytes.length, at * bytes.length);
      await handle.datasync();
      times.push(performance.now() - startedAtMs);
    }
  } finally {
    await handle.close();
  }
  return percentile(times, 0.5);
}
