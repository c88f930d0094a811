/**
 * Runs one suite: makes its client ready, then its cases one after the other, and writes each result
 * to the card. A case passes when it ends, and fails with what it throws.
 */

import { Lacking } from "../lab/lacking.mjs";
import { within } from "../lab/waiting.mjs";

const CASE_MS_MAX = 120_000;

/** Runs `suite` against `target`. Rows go to `card` as they come; `say` tells them to people. */
export async function runSuite(suite, { target, workspace, card, say, caseNames }) {
  let ready;
  try {
    ready = await suite.prepare({ workspace, say });
  } catch (error) {
    const result = error instanceof Lacking ? "SKIP" : "FAIL";
    record({ card, say }, { suite: suite.name, test: "the client is here", result, error });
    return;
  }
  const name = `${suite.name} ${ready.version}`;
  for (const { test, timeoutMs = CASE_MS_MAX, skipped, run } of ready.cases) {
    if (caseNames !== undefined && !caseNames.some((each) => test.includes(each))) continue;
    if (skipped !== undefined) {
      record({ card, say }, { suite: name, test, result: "SKIP", error: new Error(skipped) });
      continue;
    }
    const startedAtMs = performance.now();
    const outcome = await outcomeOf(test, timeoutMs, async () => {
      await target.untilHealthy();
      await run({ target, workspace, say });
    });
    const seconds = (performance.now() - startedAtMs) / 1_000;
    record({ card, say }, { suite: name, test, ...outcome, seconds });
  }
}

async function outcomeOf(test, timeoutMs, run) {
  try {
    await within(timeoutMs, test, run());
    return { result: "PASS" };
  } catch (error) {
    return { result: error instanceof Lacking ? "SKIP" : "FAIL", error };
  }
}

function record({ card, say }, { suite, test, result, error, seconds }) {
  const reason = error === undefined ? "" : error.message || error.name || String(error);
  card.add({ suite, test, result, reason });
  const time = seconds === undefined ? "" : ` (${seconds.toFixed(1)} s)`;
  say(`${result} ${suite}: ${test}${reason === "" ? "" : `: ${reason}`}${time}`);
}
