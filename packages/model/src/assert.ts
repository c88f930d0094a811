/**
 * Invariants. A failed assertion is a bug in this program, never bad input: it stays on in
 * production, and the process that hits one stops rather than going on with a broken promise.
 */

/** A broken invariant. Whoever catches one may only report it and stop. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws {@link AssertionError} unless `condition` holds. `message` states the invariant. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(`broken invariant: ${message}`);
}

/** Ends an exhaustive switch: a new member of the union becomes a compile error here. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
