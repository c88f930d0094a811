/** How long to wait before the next attempt: doubling, bounded, and spread by chance. */
import type { Random } from "@strandline/platform";

export interface BackoffOptions {
  /** Before the second attempt. Milliseconds. */
  readonly retryBackoffMs: number;
  readonly retryBackoffMsMax: number;
}

/** Each wait differs by up to this share from its nominal length, or all clients come at once. */
const JITTER_SHARE = 0.2;
const JITTER_STEPS = 1024;

/** Wait after `failures` failed attempts in a row, from 1 on. Milliseconds. */
export function backoffMs(random: Random, options: BackoffOptions, failures: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 30);
  const nominalMs = Math.min(options.retryBackoffMs * 2 ** doublings, options.retryBackoffMsMax);
  const share = random.below(JITTER_STEPS) / (JITTER_STEPS - 1);
  return nominalMs * (1 - JITTER_SHARE + 2 * JITTER_SHARE * share);
}
