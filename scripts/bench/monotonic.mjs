/**
 * The machine's monotonic clock, in milliseconds. Unlike `performance.now`, it counts alike in every
 * thread and process, and in the profiles that V8 writes.
 */
export function monotonicMs() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}
