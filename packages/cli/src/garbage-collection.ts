/**
 * Settings of the garbage collector for a process that does nothing but serve a broker.
 *
 * A broker has a small heap, and buffers outside of it that pass through by the gigabyte. V8 lets
 * the two together grow by a share of the small heap before it marks all of it again, so that under
 * load it would do little else. With a larger share, what decides is V8's own bound on memory
 * outside the heap.
 */
import { setFlagsFromString } from "node:v8";

/** By how much heap and buffers may grow between two collections, in percent of the live heap. */
const HEAP_GROWING_PERCENT = 400;

export function tuneGarbageCollection(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
}
