/**
 * First figures: three brokers as processes, and the client in this one, all on this machine.
 * 6 partitions, 3 replicas, acks=all, every acknowledgement after fdatasync. MB are 10^6 bytes of
 * values; CPU is that of the three brokers together.
 *
 *     npm run bench -- [--only FIGURE]... [--seconds N] [--profile]
 *
 * One JSON line per figure on standard output; progress and a table on standard error.
 */
import { mkdtempSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { BatchLoad } from "./bench/batch-load.mjs";
import { residentMb } from "./bench/process-usage.mjs";
import { RecordLoad } from "./bench/record-load.mjs";
import { syncMs } from "./bench/sync-probe.mjs";
import { TailReader } from "./bench/tail-reader.mjs";
import { measure } from "./bench/window.mjs";
import { Cluster } from "./lab/cluster.mjs";
import { columns } from "./lab/columns.mjs";
import { sleep, until } from "./lab/waiting.mjs";
import { Workspace } from "./lab/workspace.mjs";

const PARTITIONS = 6;
const IDLE_MS = 5_000;

/** Each run gives the figures it is listed with; they run in this order. */
const RUNS = [
  { run: disk, figures: ["fdatasync_ms"] },
  { run: idle, figures: ["idle_rss_mb"] },
  { run: largeRecords, figures: ["grpc_produce_1k_mb_s", "grpc_produce_1k_cpu_s_gb"] },
  { run: smallRecords, figures: ["grpc_produce_100b_records_s"] },
  { run: batches, figures: ["grpc_produce_batches_mb_s", "grpc_produce_batches_cpu_s_gb"] },
  { run: tail, figures: ["grpc_consume_tail_mb_s"] },
];
const FIGURES = ["start_to_first_ack_s", ...RUNS.flatMap(({ figures }) => figures)];

const options = readOptions();
const workspace = new Workspace();
const results = [];
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    workspace.closeNow();
    process.exit(130);
  });
}

try {
  say(`${availableParallelism()} CPUs (${cpus()[0]?.model ?? "unknown"}), Node ${process.version}`);
  await bench();
} catch (error) {
  say(`failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  await workspace.close();
}
const cells = results.map(({ figure, value, unit, more }) => [figure, value, unit, more]);
say(["", ...columns(["figure", "value", "unit", "more"], cells)].join("\n"));
if (options.profiles !== undefined) say(`profiles of the brokers: ${options.profiles}`);
process.exit();

async function bench() {
  const { cluster, firstAckSeconds } = await startCluster();
  if (isWanted("start_to_first_ack_s")) figure("start_to_first_ack_s", firstAckSeconds, "s");
  const pids = [...cluster.nodes.values()].map((node) => node.child.pid);
  for (const { run, figures } of RUNS) {
    if (figures.some(isWanted)) await run({ cluster, pids });
  }
  {const fs=await import('node:fs'); const agg={}; for(const pid of pids)for(const t of fs.readdirSync(`/proc/${pid}/task`)){const l=fs.readFileSync(`/proc/${pid}/task/${t}/stat`,'utf8');const name=l.slice(l.indexOf('(')+1,l.lastIndexOf(')'));const f=l.slice(l.lastIndexOf(')')+2).split(' ');const k=t==pid?'main':name; (agg[k]??={u:0,s:0,n:0});agg[k].u+=+f[11];agg[k].s+=+f[12];agg[k].n++;} say(JSON.stringify(agg));}
  if(process.env.XLOG){const fs=await import('node:fs');for(const n of cluster.nodes.values())fs.copyFileSync(n.logFile,process.env.XLOG+n.id);}
  // A clean end: that is when the profiles are written.
  for (const id of cluster.nodes.keys()) await cluster.stop(id);
}

/** From nothing to the first acknowledgement: processes, election, registration, topic, record. */
async function startCluster() {
  const startedAtMs = performance.now();
  const cluster = await Cluster.start(workspace, {
    isAwaited: false,
    execArgv: (id) =>
      options.profiles === undefined
        ? (process.env.XARGV ?? "").split(" ").filter(Boolean)
        : [
            "--cpu-prof",
            `--cpu-prof-dir=${options.profiles}`,
            `--cpu-prof-name=node-${id}.cpuprofile`,
          ],
  });
  const { client } = cluster;
  await until(
    "a topic with three replicas can be made",
    async () =>
      await client.admin.createTopic({ name: "first", partitions: 1, replicationFactor: 3 }),
    { pollMs: 10 },
  );
  const producer = client.producer({ lingerMs: 0 });
  await producer.send({ topic: "first", value: "first" });
  const firstAckSeconds = (performance.now() - startedAtMs) / 1_000;
  await producer.close();
  await cluster.untilHealthy();
  return { cluster, firstAckSeconds };
}

async function disk() {
  figure("fdatasync_ms", await syncMs(workspace.path("probe")), "ms", { of: "4 KiB, median" });
}

async function idle({ pids }) {
  await sleep(IDLE_MS);
  const each = pids.map((pid) => Math.round(residentMb(pid)));
  figure("idle_rss_mb", Math.max(...each), "MB", { brokers: each });
}

async function largeRecords({ cluster, pids }) {
  const valueBytes = 1_024;
  const { count, ...window } = await produceRecords({ cluster, pids }, "records-1k", valueBytes);
  throughput("grpc_produce_1k", count * valueBytes, window);
}

async function smallRecords({ cluster, pids }) {
  const window = await produceRecords({ cluster, pids }, "records-100b", 100);
  figure("grpc_produce_100b_records_s", Math.round(window.count / window.seconds), "records/s", {
    other_cpus: round(window.otherCpus),
    broker_cpu_us_per_record: round((window.brokerCpuSeconds / window.count) * 1e6),
    client_cpu_us_per_record: round((window.clientCpuSeconds / window.count) * 1e6),
  });
}

async function produceRecords({ cluster, pids }, topic, valueBytes) {
  await createTopic(cluster, topic);
  const load = new RecordLoad(cluster.client, { topic, valueBytes });
  load.start();
  const { seconds } = options;
  const window = await measure({ seconds, pids, count: () => load.acknowledged });
  await load.stop();
  await cluster.client.admin.deleteTopic(topic);
  return window;
}

async function batches({ cluster, pids }) {
  await createTopic(cluster, "batches");
  const load = await BatchLoad.open(cluster, "batches");
  load.start();
  const { seconds } = options;
  const window = await measure({ seconds, pids, count: () => load.acknowledgedBytes });
  await load.stop();
  await cluster.client.admin.deleteTopic("batches");
  throughput("grpc_produce_batches", window.count, window);
}

/** Read while it is written: by batches, so that the client has time left to read. */
async function tail({ cluster, pids }) {
  await createTopic(cluster, "tail");
  const reader = new TailReader(cluster.client);
  await reader.start("tail", PARTITIONS);
  const load = await BatchLoad.open(cluster, "tail");
  load.start();
  let written = 0;
  const { seconds } = options;
  const window = await measure({
    seconds,
    pids,
    count: () => {
      written = load.acknowledgedBytes - written;
      return reader.readBytes;
    },
  });
  await load.stop();
  await reader.stop();
  await cluster.client.admin.deleteTopic("tail");
  figure("grpc_consume_tail_mb_s", window.count / 1e6 / window.seconds, "MB/s", {
    other_cpus: round(window.otherCpus),
    written_mb_s: round(written / 1e6 / window.seconds),
    broker_cpu_s_gb: round(window.brokerCpuSeconds / (window.count / 1e9)),
  });
}

function throughput(name, bytes, window) {
  const { seconds, brokerCpuSeconds, clientCpuSeconds, otherCpus } = window;
  const gigabytes = bytes / 1e9;
  if (isWanted(`${name}_mb_s`)) {
    figure(`${name}_mb_s`, bytes / 1e6 / seconds, "MB/s", {
      other_cpus: round(otherCpus),
      client_cpu_s_gb: round(clientCpuSeconds / gigabytes),
    });
  }
  if (isWanted(`${name}_cpu_s_gb`)) {
    figure(`${name}_cpu_s_gb`, brokerCpuSeconds / gigabytes, "CPU-s/GB");
  }
}

async function createTopic(cluster, name) {
  await cluster.client.admin.createTopic({ name, partitions: PARTITIONS, replicationFactor: 3 });
}

function figure(name, value, unit, more = {}) {
  const line = { figure: name, value: round(value), unit, ...more };
  console.log(JSON.stringify(line));
  const words = Object.entries(more).map(([key, each]) => `${key} ${each}`);
  results.push({ figure: name, value: line.value, unit, more: words.join(", ") });
}

/** Three digits are more than such a machine can repeat. */
function round(value) {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

function isWanted(name) {
  return options.only.includes(name);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      seconds: { type: "string", default: "10" },
      profile: { type: "boolean", default: false },
    },
  });
  const only = values.only ?? FIGURES;
  const unknown = only.filter((name) => !FIGURES.includes(name));
  const seconds = Number(values.seconds);
  if (unknown.length > 0 || !(seconds > 0)) {
    say(
      unknown.length > 0
        ? `no figure ${unknown.join(", ")}; there are ${FIGURES.join(", ")}`
        : "--seconds must be a positive number",
    );
    process.exit(2);
  }
  const profiles = values.profile
    ? mkdtempSync(path.join(tmpdir(), "strandline-profiles-"))
    : undefined;
  return { only, seconds, profiles };
}
