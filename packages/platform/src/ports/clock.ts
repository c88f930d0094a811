/** Time, as two facts that must not be mixed. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. For every wait and every timeout. */
  monotonicMs(): number;
  /** Milliseconds since 1970. For what people and records see; may jump. */
  wallMs(): number;
}

/** A timer that was set. */
export interface Timer {
  /** Idempotent; after it returns the callback will not run. */
  cancel(): void;
}

/** The only way to be called later. */
export interface Timers {
  /** Calls `callback` once, `delayMs` from now at the earliest. */
  after(delayMs: number, callback: () => void): Timer;
}
