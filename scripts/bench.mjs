/**
 * Figures: three brokers as processes, and the client in this one, all on this machine. 3 replicas,
 * acks=all, every acknowledgement after fdatasync. MB are 10^6 bytes of values; CPU of brokers is
 * that of the three together. Each run has a cluster of its own.
 *
 *     npm run bench -- [--only FIGURE]... [--seconds N] [--warm-up N] [--profile]
 *                      [--partitions N] [--gigabytes N] [--kills N] [--starts N]
 *
 *     npm run bench -- --against kafka [...]
 *
 * The second compares with a real Kafka: see `bench/against/against.mjs`.
 *
 * One JSON line per figure on standard output; progress and a table on standard error. Exits 1 when
 * a figure could not be measured: a missed target is no failure.
 */
import { availableParallelism, cpus } from "node:os";
import { Bench } from "./bench/bench.mjs";
import { FIGURES } from "./bench/figures.mjs";
import { readOptions } from "./bench/options.mjs";
import { profileTables } from "./bench/profile-report.mjs";
import { Results } from "./bench/results.mjs";
import { consume } from "./bench/runs/consume.mjs";
import { disk } from "./bench/runs/disk.mjs";
import { failover } from "./bench/runs/failover.mjs";
import { idle } from "./bench/runs/idle.mjs";
import { latency } from "./bench/runs/latency.mjs";
import { memory } from "./bench/runs/memory.mjs";
import { partitions } from "./bench/runs/partitions.mjs";
import { batches, records1k, records100b } from "./bench/runs/produce.mjs";
import { start } from "./bench/runs/start.mjs";
import { within } from "./lab/waiting.mjs";

// It has a command line, and an end, of its own.
if (process.argv.some((each) => each.startsWith("--against")))
  await import("./bench/against/against.mjs");

const RUNS = {
  disk,
  start,
  idle,
  records1k,
  records100b,
  batches,
  consume,
  latency,
  partitions,
  memory,
  failover,
};

/** No run may take longer: what hangs is a failure. */
const RUN_MS_MAX = 30 * 60_000;

const options = readOptions(import.meta.url);
const results = new Results();
const windows = [];
let failedRuns = 0;
let bench;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    bench?.workspace.closeNow();
    process.exit(130);
  });
}

say(`${availableParallelism()} CPUs (${cpus()[0]?.model ?? "unknown"}), Node ${process.version}`);
for (const [name, run] of Object.entries(RUNS)) {
  const wanted = FIGURES.filter((each) => each.run === name && options.only.includes(each.name));
  if (wanted.length > 0) await perform(name, run, wanted);
}
say(["", ...results.table()].join("\n"));
if (options.profiles !== undefined) {
  say(["", ...profileTables(options.profiles, windows)].join("\n"));
  say(`profiles of the brokers: ${options.profiles}`);
}
// A client of a run that was cut short may still hold a timer.
process.exit(failedRuns === 0 ? 0 : 1);

/** A run that fails fails its own figures; the others go on. */
async function perform(name, run, wanted) {
  say(`== ${name}`);
  bench = new Bench(name, options, results);
  try {
    await within(RUN_MS_MAX, `the run ${name}`, run(bench));
    await bench.stopClusters();
  } catch (error) {
    const reason = reasonOf(error);
    say(`failed: ${reason}`);
    for (const figure of wanted) {
      if (!results.has(figure.name)) results.fail(figure.name, reason);
    }
    failedRuns += 1;
  }
  windows.push(...bench.windows.map((window) => ({ run: name, ...window })));
  await bench.workspace.close();
}

/** With what lies behind it: a client's words say what it could not do, the cause says why. */
function reasonOf(error) {
  const words = [];
  for (let each = error; each instanceof Error; each = each.cause) words.push(each.message);
  return words.join(": ");
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
