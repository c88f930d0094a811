/**
 * Chaos on real processes: three brokers are killed, paused and restarted while records are written
 * and read; then everything is read back from every replica and held against what was promised.
 *
 *     npm run chaos -- [--minutes N] [--seed N] [--report FILE] [--target processes|compose]
 *                      [--rate N]
 *     npm run chaos -- --groups [--seed N] [--member-kills N] [--broker-kills N]
 *
 * With `--groups` it is a consumer group that is hit: members and brokers are killed, and every
 * record must reach a member, no committed offset go back, no partition have two owners.
 *
 * `--report FILE` writes FILE.json, FILE.txt and FILE.svg; an ending of these three that FILE has
 * already is left out. `--rate` is in records per second. The seed decides the faults, not what the
 * machine makes of them.
 *
 * Exit code: 0 every promise held, 1 one was broken, 2 wrong usage, 130 interrupted.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ChaosRun } from "./chaos/chaos-run.mjs";
import { ComposeTarget } from "./chaos/compose-target.mjs";
import { groupsChaos } from "./chaos/groups/groups-chaos.mjs";
import { ProcessTarget } from "./chaos/process-target.mjs";
import { resultOf } from "./chaos/result.mjs";
import { textOf } from "./chaos/result-text.mjs";
import { chartOf } from "./chaos/throughput-chart.mjs";
import { readArguments, refuse, requireKnown } from "./lab/arguments.mjs";

const TARGETS = { processes: ProcessTarget, compose: ComposeTarget };
const EXIT_CODES = { held: 0, violated: 1, interrupted: 130 };

const options = readOptions();
if (options.isGroups) process.exit(await groupsChaos({ ...options, say }));
say(`seed ${options.seed}, ${options.minutes} minutes on ${options.target}`);
let target;
let run;
let isImpatient = false;

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    // Asked twice, or before there is anything to report.
    if (isImpatient || run === undefined) {
      target?.closeNow();
      process.exit(130);
    }
    isImpatient = true;
    say("interrupted: ending; once more ends it at once");
    run.interrupt();
  });
}

try {
  target = await TARGETS[options.target].open();
} catch (error) {
  say(`the brokers did not start: ${error.message}`);
  process.exit(1);
}
run = new ChaosRun(target, { ...options, say });
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => run.problems.push(`${event}: ${error?.stack ?? error}`));
}
try {
  await run.run();
} catch (error) {
  if (!run.isInterrupted) run.problems.push(error.stack);
}

const result = resultOf(run, options);
const isViolated = result.verdict === "violated";
if (result.verdict === "held") {
  await run.deleteTopic().catch((error) => say(`the topic stays: ${error.message}`));
}
const kept = await target.close({ isKept: isViolated });
const lines = textOf(result);
if (kept !== undefined) lines.push("", `kept: ${kept}`);
if (isViolated) {
  lines.push(`again: npm run chaos -- --seed ${options.seed} --minutes ${options.minutes}`);
}
console.log(lines.join("\n"));
if (options.report !== undefined) writeReport(options.report, lines);
// A client that was cut short may still hold a timer.
process.exit(EXIT_CODES[result.verdict]);

function writeReport(file, text) {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(`${file}.json`, `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(`${file}.txt`, `${text.join("\n")}\n`);
  writeFileSync(`${file}.svg`, chartOf(result));
  say(`report: ${file}.json, ${file}.txt, ${file}.svg`);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function readOptions() {
  const values = readArguments(import.meta.url, {
    minutes: { type: "string", default: "5" },
    seed: { type: "string" },
    report: { type: "string" },
    target: { type: "string", default: "processes" },
    rate: { type: "string", default: "2000" },
    groups: { type: "boolean", default: false },
    "member-kills": { type: "string", default: "20" },
    "broker-kills": { type: "string", default: "10" },
  });
  const minutes = Number(values.minutes);
  const seed =
    values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const recordsPerSecond = Number(values.rate);
  if (!(minutes > 0)) refuse("--minutes must be a positive number");
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    refuse("--seed must be an integer from 0 to 4294967295");
  }
  if (!(recordsPerSecond > 0)) refuse("--rate must be a positive number");
  requireKnown("target", [values.target], Object.keys(TARGETS));
  const [memberKills, brokerKills] = ["member-kills", "broker-kills"].map((name) => {
    const kills = Number(values[name]);
    if (!(Number.isInteger(kills) && kills >= 0)) refuse(`--${name} must be an integer from 0 on`);
    return kills;
  });
  const report = values.report?.replace(/\.(json|txt|svg)$/, "");
  return {
    ...{ minutes, seed, report, target: values.target, recordsPerSecond },
    ...{ isGroups: values.groups, memberKills, brokerKills },
  };
}
