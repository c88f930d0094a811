/**
 * The same loads on a real Kafka and then on ours, in one run: prints ratios. Each has the machine to
 * itself. Kafka runs with its defaults and is warmed first; ours syncs before it acknowledges and is
 * not warmed.
 *
 *     npm run bench -- --against kafka [--only FIGURE]... [--warm-up GIGABYTES] [--scale SHARE]
 *                      [--kills N] [--starts N] [--rdkafka-performance PROGRAM]
 *
 * Needs java and mvn, and gcc, g++ and make for the load generator unless it is named. One JSON line
 * per figure on standard output; progress and a table on standard error. Exits 1 when a figure could
 * not be measured: a missed target is no failure.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { readArguments, refuse, requireKnown } from "../../lab/arguments.mjs";
import { columns } from "../../lab/columns.mjs";
import { within } from "../../lab/waiting.mjs";
import { Workspace } from "../../lab/workspace.mjs";
import { meets, rounded, targetText } from "../figures.mjs";
import { cpuSeconds, machineCpuSeconds } from "../process-usage.mjs";
import { FIGURES, targetOf } from "./figures.mjs";
import { JavaTools } from "./java-tools.mjs";
import { RdkafkaLoad, rdkafkaPerformance } from "./rdkafka.mjs";
import {
  consume,
  endToEnd,
  failover,
  flushed,
  idle,
  java,
  partitions,
  produce,
  small,
  warmUp,
} from "./runs.mjs";
import { KafkaSide, OwnSide } from "./sides.mjs";
import { startTimes } from "./start.mjs";

/** In the order in which they run: what kills brokers comes last, what needs them new first. */
const RUNS = { idle, produce, consume, flushed, small, java, endToEnd, partitions, failover };
const RUN_MS_MAX = 300_000;
/** Runs after which the machine is measured as it is: not by the other side's leftovers. */
const NEEDS_NO_WARM_UP = ["start", "idle"];

const startedAtMs = performance.now();
const options = readOptions();
const workspaces = new Set();
const lines = [];
let failed = 0;

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    for (const workspace of workspaces) workspace.closeNow();
    process.exit(130);
  });
}

say(`${availableParallelism()} CPUs (${cpus()[0]?.model ?? "unknown"}), Node ${process.version}`);
const workspace = new Workspace();
workspaces.add(workspace);
const context = newContext();
try {
  await compare();
} catch (error) {
  say(`failed: ${error.stack}`);
  failed += 1;
} finally {
  await workspace.close();
}
say(["", ...table()].join("\n"));
say(`${Math.round((performance.now() - startedAtMs) / 1_000)} s in all`);
process.exit(failed === 0 ? 0 : 1);

async function compare() {
  const program = await rdkafkaPerformance(workspace, options.program, say);
  context.rdkafka = new RdkafkaLoad(workspace, program);
  if (isWanted("start")) await starts();
  const runs = Object.keys(RUNS).filter(isWanted);
  if (runs.length === 0) return;
  const kafka = await KafkaSide.prepare(workspace, "kafka", say);
  const own = await OwnSide.prepare(workspace, "strandline");
  context.java = new JavaTools(kafka.cluster);
  const theirs = await measured(kafka, runs);
  const ours = await measured(own, runs);
  for (const figure of FIGURES.filter(({ run, name }) => runs.includes(run) && isAsked(name))) {
    const outcomes = [theirs.get(figure.run), ours.get(figure.run)];
    const error = outcomes.find((outcome) => outcome.error !== undefined)?.error;
    if (error !== undefined) tellFailed(figure, error);
    else tell(figure, ...outcomes.map(({ values }) => values[figure.name]));
  }
}

/**
 * The outcomes of the runs on one side, by name. It has the machine to itself: an idle cluster beside
 * it takes a share of two cores and of their caches. A run that fails fails its own figures; the
 * others go on.
 */
async function measured(side, runs) {
  say(`== ${side.name} starts`);
  side.launch();
  await side.untilServing();
  const outcomes = new Map();
  let isWarm = side.name !== "kafka";
  for (const name of runs) {
    if (!isWarm && !NEEDS_NO_WARM_UP.includes(name)) {
      isWarm = true;
      await warm(side);
    }
    say(`== ${side.name}: ${name}`);
    try {
      const values = await within(RUN_MS_MAX, `the run ${name}`, RUNS[name](context, side));
      sayValues(values);
      outcomes.set(name, { values });
    } catch (error) {
      say(`  failed: ${error.message}`);
      outcomes.set(name, { error: error.message });
    }
  }
  await side.stop();
  return outcomes;
}

async function warm(kafka) {
  if (options.warmUp === 0) return;
  say(`== Kafka is warmed with ${options.warmUp} GB`);
  const rates = await warmUp(context, kafka, options.warmUp);
  say(`  ${rates.join(", ")} MB/s`);
}

async function starts() {
  say("== start");
  const figure = FIGURES.find(({ run }) => run === "start");
  let times;
  try {
    times = await within(RUN_MS_MAX, "the starts", startTimes(context));
  } catch (error) {
    say(`  failed: ${error.message}`);
    tellFailed(figure, error.message);
    return;
  }
  const of = (name) => {
    const sorted = times[name].toSorted((a, b) => a - b);
    return { value: sorted[Math.floor((sorted.length - 1) / 2)], all: times[name].map(rounded) };
  };
  tell(figure, of("kafka"), of("strandline"));
}

function tellFailed({ name: figure, unit }, error) {
  failed += 1;
  print({ figure, unit, kafka: null, strandline: null, ratio: null, error });
}

function tell(figure, theirs, ours) {
  const ratio = ours.value / theirs.value;
  const target = targetOf(figure, options.warmUp);
  print({
    figure: figure.name,
    unit: figure.unit,
    kafka: rounded(theirs.value),
    strandline: rounded(ours.value),
    ratio: Number(ratio.toFixed(3)),
    target: targetText(target),
    met: meets(target, ratio),
    warm_up_gb: options.warmUp,
    kafka_more: moreOf(theirs),
    strandline_more: moreOf(ours),
  });
}

function moreOf({ value: _value, ...more }) {
  return Object.keys(more).length === 0 ? undefined : more;
}

function print(line) {
  lines.push(line);
  console.log(JSON.stringify(line));
}

function sayValues(values) {
  const words = Object.entries(values).map(([name, { value }]) => `${name} ${rounded(value)}`);
  say(`  ${words.join(", ")}`);
}

function table() {
  const rows = lines.map(({ figure, kafka, strandline, ratio, unit, target, met, error }) => [
    figure,
    kafka ?? "FAILED",
    strandline ?? "FAILED",
    unit,
    ratio ?? "",
    target ?? "",
    met === undefined ? (error ?? "") : met ? "yes" : "NO",
  ]);
  return columns(["figure", "kafka", "strandline", "unit", "ratio", "target", "met"], rows);
}

/** What runs work with. */
function newContext() {
  const topics = new Set();
  return {
    say,
    kills: options.kills,
    starts: options.starts,
    records: (count) => Math.max(1_000, Math.round(count * options.scale)),
    owns: (other) => workspaces.add(other),
    hasTopic: (side, name) => topics.has(`${side.name} ${name}`),
    async topic(side, name, count, configs) {
      await side.probe.createTopic(name, { partitions: count, configs });
      await side.probe.untilInSync(name, count);
      topics.add(`${side.name} ${name}`);
      return name;
    },
    /** What a run left to be written to disk is not to slow the next one down. */
    async settle() {
      spawnSync("sync");
    },
    /** What a load took of the brokers, and how much of the machine others had meanwhile. */
    async metered(side, work) {
      const before = { brokers: cpuSeconds(side.pids), machine: machineCpuSeconds() };
      const startedAtMs = performance.now();
      const result = await work();
      const seconds = (performance.now() - startedAtMs) / 1_000;
      const used = cpuSeconds(side.pids) - before.brokers;
      const machine = (machineCpuSeconds() - before.machine) / seconds;
      const more = { broker_cpu_s: rounded(used), machine_cpus: rounded(machine) };
      return { result, cpuSeconds: used, more };
    },
  };
}

function isWanted(run) {
  return FIGURES.some((each) => each.run === run && isAsked(each.name));
}

function isAsked(figure) {
  return options.only.includes(figure);
}

function readOptions() {
  const values = readArguments(import.meta.url, {
    against: { type: "string" },
    only: { type: "string", multiple: true },
    "warm-up": { type: "string", default: "3" },
    scale: { type: "string", default: "1" },
    kills: { type: "string", default: "3" },
    starts: { type: "string", default: "3" },
    "rdkafka-performance": { type: "string" },
  });
  const names = FIGURES.map(({ name }) => name);
  const only = values.only ?? names;
  requireKnown("figure", only, names);
  if (values.against !== "kafka") refuse("--against takes only: kafka");
  const numbers = { warmUp: values["warm-up"], scale: values.scale };
  for (const [name, text] of Object.entries(numbers)) {
    if (!(Number(text) >= 0)) refuse(`--${name} must be a number from 0 on`);
  }
  for (const name of ["kills", "starts"]) {
    const isWhole = Number.isInteger(Number(values[name])) && Number(values[name]) > 0;
    if (!isWhole) refuse(`--${name} must be a whole number from 1 on`);
  }
  return {
    only,
    warmUp: Number(values["warm-up"]),
    scale: Number(values.scale),
    kills: Number(values.kills),
    starts: Number(values.starts),
    program: values["rdkafka-performance"],
  };
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
