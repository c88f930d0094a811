/**
 * Millions of hostile inputs for whatever reads bytes of clients: the frame reader, the decoders of
 * requests, the checks of record batches. None may crash, take over 50 ms, or allocate anything
 * larger than four times its input (or than a page).
 *
 *     npm run fuzz -- [--executions N] [--workers N] [--seed N] [--from INDEX]
 *
 * Inputs are valid messages of every API and version, and valid batches, that were changed; seed
 * and index decide each, so a finding prints the command that runs it alone. Exit code: 0 nothing
 * was found, 1 something was, 2 wrong usage.
 */
import { fork } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Tally } from "./fuzz/tally.mjs";
import { readArguments, refuse } from "./lab/arguments.mjs";

const HUNG_MS = 30_000;
/** Until the inputs to begin with are made. */
const START_MS_MAX = 300_000;
const FINDINGS_MAX = 20;
/** So many on average per API and version are enough to call one that was never reached a gap. */
const EXECUTIONS_PER_MARK = 2_000;
const WORKER = path.join(path.dirname(fileURLToPath(import.meta.url)), "fuzz/worker.mjs");

const options = readOptions();
const findings = [];
const startedAtMs = performance.now();
say(`seed ${options.seed}, ${options.executions} executions in ${options.workers} processes`);
const share = Math.ceil(options.executions / options.workers);
const end = options.from + options.executions;
const stretches = [];
for (let from = options.from; from < end; from += share) {
  stretches.push({ seed: options.seed, from, to: Math.min(end, from + share) });
}
const positions = stretches.map(({ from }) => from);
const progress = setInterval(tellProgress, 10_000);
const tallies = await Promise.all(stretches.map(runStretch));
clearInterval(progress);
const [first, ...others] = tallies.filter((each) => each !== undefined);
if (first !== undefined) {
  const whole = new Tally([...first.neverDecoded, ...first.neverRefused]);
  for (const each of [first, ...others]) whole.merge(each);
  report(whole);
}
process.exitCode = findings.length === 0 ? 0 : 1;

/** Resolves with what it counted; undefined when it did not come to its end. */
function runStretch(stretch, at) {
  return new Promise((resolve) => {
    // Room for garbage: what is collected in the middle of an execution cannot be measured.
    const child = fork(WORKER, { execArgv: ["--max-semi-space-size=64"] });
    let result;
    let hung;
    const watch = (ms) => {
      clearTimeout(hung);
      hung = setTimeout(() => child.kill("SIGKILL"), ms);
    };
    watch(START_MS_MAX);
    child.on("message", (message) => {
      watch(HUNG_MS);
      if (message.kind === "at") positions[at] = message.index;
      else if (message.kind === "finding") find(message);
      else result = message.tally;
    });
    child.once("exit", (code, signal) => {
      clearTimeout(hung);
      if (result === undefined) {
        const how = signal === "SIGKILL" ? "hung" : `ended (${signal ?? code})`;
        find({ index: positions[at], target: "process", problem: `${how} at or after this one` });
      }
      positions[at] = stretch.to;
      resolve(result);
    });
    child.send(stretch);
  });
}

function find({ index, target, mark, problem, hex, bytes }) {
  findings.push(problem);
  if (findings.length > FINDINGS_MAX) return;
  say(`FOUND in ${target} ${mark ?? ""} ${bytes === undefined ? "" : `(${bytes} bytes)`}`);
  say(`  ${problem.replaceAll("\n", "\n  ")}`);
  say(`  again: npm run fuzz -- --seed ${options.seed} --from ${index} --executions 1`);
  if (hex !== undefined) say(`  input: ${hex}`);
}

function tellProgress() {
  const done = positions.reduce((sum, index, at) => sum + index - stretches[at].from, 0);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  say(`  ${done} executions, ${Math.round(done / seconds)} a second, ${findings.length} findings`);
}

function report(whole) {
  const seconds = (performance.now() - startedAtMs) / 1_000;
  say(`${whole.executions} executions in ${seconds.toFixed(0)} s`);
  for (const [target, outcomes] of Object.entries(whole.outcomes)) {
    const words = Object.entries(outcomes)
      .sort(([, a], [, b]) => b - a)
      .map(([outcome, count]) => `${count} ${outcome}`);
    say(`  ${target}: ${words.join(", ")}`);
  }
  say(`  slowest ${whole.slowestMs.toFixed(1)} ms, collections and other programs included`);
  say(
    `  of inputs from 1 KiB on: largest single allocation ${whole.largestRatioMax.toFixed(2)} times ` +
      `the input (profiler, ${whole.lookedAt} looks), all of one execution together at most ` +
      `${whole.totalRatioMax.toFixed(1)} times and ${(whole.totalBytesMax / 1e6).toFixed(1)} MB`,
  );
  if (options.executions >= EXECUTIONS_PER_MARK * 300) {
    for (const mark of whole.neverDecoded) findings.push(`${mark} was never decoded`);
    for (const mark of whole.neverRefused) findings.push(`${mark} was never refused`);
  }
  for (const finding of findings.slice(0, FINDINGS_MAX)) say(`FOUND ${finding.split("\n", 1)[0]}`);
  say(findings.length === 0 ? "nothing was found" : `${findings.length} findings`);
}

function readOptions() {
  const defaults = { executions: "1000000", workers: "1", seed: "1", from: "0" };
  const entries = Object.entries(defaults);
  const values = readArguments(
    import.meta.url,
    Object.fromEntries(entries.map(([name, value]) => [name, { type: "string", default: value }])),
  );
  const numbers = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number(value)]),
  );
  for (const [name, value] of Object.entries(numbers)) {
    const min = name === "executions" || name === "workers" ? 1 : 0;
    const isCount = Number.isSafeInteger(value) && value >= min;
    if (!isCount) refuse(`--${name} must be a whole number from ${min} on`);
  }
  return numbers;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
