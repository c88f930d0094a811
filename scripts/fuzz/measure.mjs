/**
 * What one execution takes: milliseconds, and bytes of memory by V8's own count, which is exact as
 * long as nothing is collected meanwhile. What allocates much in all is looked at a second time, by
 * V8's heap profiler with a sample for every single allocation.
 */
import inspector from "node:inspector";
import v8 from "node:v8";

/** What looking itself allocates. */
let ownBytes = 0;
let session;

/** Before the first measurement that counts. */
export function calibrate() {
  ownBytes = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < 5_000; at += 1) {
    const { heapBytes } = measured(() => undefined);
    if (heapBytes > 0) least = Math.min(least, heapBytes);
  }
  ownBytes = least;
}

/**
 * Runs `work`; `result` is what it returned, `error` what it threw. `heapBytes` is below zero when
 * memory was collected meanwhile. `bufferBytes` are those of buffers, outside the heap.
 */
export function measured(work) {
  const before = v8.getHeapStatistics();
  const startedAt = performance.now();
  let result;
  let error;
  try {
    result = work();
  } catch (thrown) {
    error = thrown ?? new Error("nothing was thrown");
  }
  const ms = performance.now() - startedAt;
  const after = v8.getHeapStatistics();
  return {
    result,
    error,
    ms,
    heapBytes: after.used_heap_size - before.used_heap_size - ownBytes,
    bufferBytes: after.external_memory - before.external_memory,
  };
}

/** The least time of some more runs: a collection or a busy machine is not the work's doing. */
export function leastMs(work, runs) {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < runs; at += 1) least = Math.min(least, measured(work).ms);
  return least;
}

/** Bytes of the largest object that `work` allocates on the heap, whether it keeps it or not. */
export function largestAllocation(work) {
  if (session === undefined) {
    session = new inspector.Session();
    session.connect();
    post("HeapProfiler.enable");
  }
  post("HeapProfiler.startSampling", {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  measured(work);
  const { profile } = post("HeapProfiler.stopSampling");
  return profile.samples.reduce((largest, { size }) => Math.max(largest, size), 0);
}

/** Answers arrive before the call returns: the inspector runs in this thread. */
function post(method, parameters) {
  let failure;
  let answer;
  session.post(method, parameters, (error, result) => {
    failure = error;
    answer = result;
  });
  if (failure) throw new Error(`${method}: ${failure.message}`);
  return answer;
}
