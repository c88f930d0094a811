/** Waiting with a bound, and with a sentence for when it is reached. */

export async function sleep(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Polls `ask` until it gives something other than undefined or false, and returns that. An error of
 * `ask` counts as "not yet"; the last one is told when time is up.
 */
export async function until(what, ask, { timeoutMs = 60_000, pollMs = 50 } = {}) {
  const deadlineMs = performance.now() + timeoutMs;
  let lastError;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      lastError = undefined;
    } catch (error) {
      if (error instanceof GivenUp) throw error;
      lastError = error;
    }
    if (performance.now() > deadlineMs) {
      const why = lastError === undefined ? "" : `: ${lastError.message}`;
      throw new Error(`waited ${timeoutMs / 1_000} s in vain until ${what}${why}`);
    }
    await sleep(pollMs);
  }
}

/** Thrown inside `ask` when more waiting cannot help. */
export class GivenUp extends Error {}

/** Rejects with `what` when `work` takes longer. The work itself goes on. */
export async function within(timeoutMs, what, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} was not done after ${timeoutMs / 1_000} s`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
