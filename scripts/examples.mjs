/**
 * Runs the examples against three brokers: each produces, with a broker killed in the middle, and
 * each reads what every other one wrote.
 *
 *     npm run examples -- [--only NAME]... [--all] [--keep]
 *
 * Prints a table. Skips, with the reason, an example whose toolchain is not here, unless --all says
 * that this is a failure. Exits 1 when something failed.
 */
import { Report } from "./acceptance/report.mjs";
import { acknowledgedIn, comparison, consumedIn, disorder } from "./examples/example-records.mjs";
import { EXAMPLES_BY_NAME } from "./examples/toolchains.mjs";
import { readArguments, requireKnown } from "./lab/arguments.mjs";
import { Cluster } from "./lab/cluster.mjs";
import { Lacking } from "./lab/lacking.mjs";
import { until, within } from "./lab/waiting.mjs";
import { Workspace } from "./lab/workspace.mjs";

const RECORDS = 20_000;
const PARTITIONS = 3;
/** Stores nothing twice, and keeps order, whatever happens. */
const IDEMPOTENT = "typescript-client";
const KILL_AFTER_LINES = RECORDS / 20;
/** What a producer without sequence numbers has under way when a broker dies, and once more. */
const DUPLICATES_MAX = 2 * 16 * 20;
const PROGRAM_MS_MAX = 60_000;
const RUN_MS_MAX = 10 * 60_000;

const options = readOptions();
const report = new Report();
const workspace = new Workspace({ isKept: options.isKept });

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    workspace.closeNow();
    process.exit(130);
  });
}

try {
  await within(RUN_MS_MAX, "the run", runAll());
} catch (error) {
  report.check("the run comes to its end", error.message);
}
await workspace.close();
console.log(report.table().join("\n"));
for (const { scenario, name, result, sentence } of report.json().checks) {
  if (result !== "ok") console.log(`${result} ${scenario}: ${name}: ${sentence}`);
}
process.exit(report.failures.length === 0 ? 0 : 1);

async function runAll() {
  const [cluster, programs] = await Promise.all([Cluster.start(workspace), prepareAll()]);
  await missingTopic(cluster, programs);
  for (const [name, { produce }] of programs) {
    report.begin(name);
    await roundTrip({ cluster, programs, name, produce });
  }
}

async function prepareAll() {
  const programs = new Map();
  for (const name of options.only) {
    report.begin(name);
    try {
      programs.set(name, await EXAMPLES_BY_NAME[name](workspace));
    } catch (error) {
      if (error instanceof Lacking && !options.isAll) report.skip("is ready to run", error.message);
      else report.check("is ready to run", error.message);
    }
  }
  return programs;
}

/** Every program says by name what is wrong, once waiting for the topic has not helped. */
async function missingTopic(cluster, programs) {
  const runs = [...programs].flatMap(([name, commands]) =>
    Object.entries(commands).map(async ([what, command]) => {
      const child = start(cluster, command, ["--topic", "missing"]);
      return { name, what, child, outcome: await child.endedWithin(PROGRAM_MS_MAX) };
    }),
  );
  for (const { name, what, child, outcome } of await Promise.all(runs)) {
    report.begin(name);
    const said = child.stderr.trim();
    const isTold = outcome.code === 1 && said.startsWith("UNKNOWN_TOPIC_OR_PARTITION (retriable");
    report.check(`${what}: a missing topic is told by name`, isTold ? undefined : failed(child));
  }
}

/** One example writes while the broker it began with is killed; all read while that one is down. */
async function roundTrip({ cluster, programs, name, produce }) {
  const topic = `from-${name}`;
  await cluster.client.admin.createTopic({ name: topic, partitions: PARTITIONS });
  const producer = start(cluster, produce, ["--topic", topic, "--count", String(RECORDS)]);
  const ended = producer.endedWithin(PROGRAM_MS_MAX);
  const [first] = cluster.nodes.keys();
  const linesAtKill = await killInTheMiddle(cluster, first, producer);
  const { code } = await ended;
  const isOk = report.check(
    `produces ${RECORDS} records although a broker is killed`,
    code === 0 && linesAtKill < RECORDS ? undefined : failed(producer),
    { acknowledged_before: linesAtKill },
  );
  if (isOk) {
    if (name === IDEMPOTENT) {
      report.check("older records come first", disorder(acknowledgedIn(producer.stdout)));
    }
    const comparisons = [...programs].map(async ([reader, { consume }]) => {
      await compare({ cluster, topic, source: name, producer, reader, consume });
    });
    await Promise.all(comparisons);
  }
  cluster.startNode(first);
  await cluster.untilHealthy();
}

async function killInTheMiddle(cluster, id, producer) {
  const lines = () => producer.stdout.toString().split("\n").length - 1;
  await until(
    "the first records are acknowledged",
    () => lines() >= KILL_AFTER_LINES || !producer.isAlive,
    { pollMs: 2 },
  );
  const linesAtKill = lines();
  await cluster.kill(id);
  return linesAtKill;
}

async function compare({ cluster, topic, source, producer, reader, consume }) {
  const consumer = start(cluster, consume, ["--topic", topic, "--json"]);
  const { code } = await consumer.endedWithin(PROGRAM_MS_MAX);
  const what = `what it wrote is what ${reader} reads, byte for byte`;
  if (code !== 0) {
    report.check(what, failed(consumer));
    return;
  }
  try {
    const acknowledged = acknowledgedIn(producer.stdout);
    const consumed = consumedIn(consumer.stdout);
    const { problem, duplicates } = comparison({ source, count: RECORDS, acknowledged, consumed });
    const isTooMany = duplicates > (source === IDEMPOTENT ? 0 : DUPLICATES_MAX);
    report.check(what, isTooMany ? `${duplicates} records are stored twice` : problem, {
      records: consumed.size,
      duplicates,
    });
  } catch (error) {
    report.check(what, error.message);
  }
}

/** The first broker of the list is the one that is going to be killed. */
function start(cluster, [command, ...args], more) {
  const child = workspace.spawn(command, [...args, "--brokers", cluster.brokers, ...more], {
    stdout: "collect",
  });
  child.stdin.end();
  return child;
}

function failed(child) {
  const said = child.stderr.trim().split("\n").slice(-3).join(" | ");
  return `it printed ${child.stdout.length} bytes and said: ${said}`;
}

function readOptions() {
  const values = readArguments(import.meta.url, {
    only: { type: "string", multiple: true },
    all: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  });
  const names = Object.keys(EXAMPLES_BY_NAME);
  const only = values.only ?? names;
  requireKnown("example", only, names);
  return { only, isAll: values.all, isKept: values.keep };
}
