/**
 * Runs what the Kubernetes manifests describe, without a cluster: three pods as processes, with the
 * manifest's own arguments, environment and files, each at a loopback address of its own, behind
 * names that are looked up in a file. Needs Linux, where all of 127.0.0.0/8 is this machine.
 *
 *     npm run k8s
 *
 * Prints a line per step; exits 1 when one fails, with the end of each pod's log.
 */
import { existsSync, readFileSync } from "node:fs";
import { PodCluster } from "./k8s/pod-cluster.mjs";
import { sleep } from "./lab/waiting.mjs";
import { Workspace } from "./lab/workspace.mjs";

const TOPIC = "orders";
const ROUND = 200;

const workspace = new Workspace();
const cluster = new PodCluster(workspace);
const written = [];

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    workspace.closeNow();
    process.exit(130);
  });
}

try {
  await step("three pods find each other by their names and form a cluster", formed);
  await step("clients of another namespace write and read through the Service", async () => {
    await cluster.run(["topic", "create", TOPIC, "-p", "6"]);
    await write();
    await readAll();
  });
  await step("a killed pod is missed by nobody", async () => {
    await cluster.kill(1);
    await write();
    await readAll();
  });
  await step("it comes back under another address, and all its replicas with it", async () => {
    cluster.start(1, address(7));
    await cluster.untilReady([1]);
    await cluster.untilInSync(TOPIC);
    await write();
    await readAll();
  });
  await step("SIGTERM drains: not ready at once, alive to the end", drained);
  await step("a rolling restart, each pod under a new address, loses nothing", async () => {
    for (const ordinal of [2, 1, 0]) {
      must(await cluster.stop(ordinal));
      cluster.start(ordinal, address(20 + ordinal));
      await cluster.untilReady([ordinal]);
      await write();
    }
    await readAll();
  });
  await step("all pods stop at once and come back under other addresses", async () => {
    const outcomes = await Promise.all([0, 1, 2].map((ordinal) => cluster.stop(ordinal)));
    for (const outcome of outcomes) must(outcome);
    for (const ordinal of [0, 1, 2]) cluster.start(ordinal, address(30 + ordinal));
    await cluster.untilReady();
    await readAll();
  });
} catch (error) {
  console.error(`FAILED: ${error.message}`);
  for (const { name } of cluster.pods) {
    const log = workspace.path(`${name}.log`);
    if (existsSync(log)) console.error(`${name}:\n${readFileSync(log, "utf8").slice(-3_000)}`);
  }
  process.exitCode = 1;
}
await workspace.close();
process.exit();

async function formed() {
  for (const ordinal of cluster.pods.keys()) cluster.start(ordinal, address(1 + ordinal));
  await cluster.untilReady();
  const { stdout } = await cluster.run(["cluster", "info", "--format", "json"]);
  const nodes = JSON.parse(stdout.toString()).nodes.map(
    ({ nodeId, address: at }) => `${nodeId}@${at}`,
  );
  const expected = cluster.pods.map(
    ({ name }, id) => `${id}@${name}.strandline-headless.events.svc:50051`,
  );
  if (String(nodes.sort()) !== String(expected)) throw new Error(`there are ${nodes}`);
}

/**
 * Asks both probes while a pod stops, over and over. A pod that stops between two questions shows
 * nothing: then the next one is stopped.
 */
async function drained() {
  for (const ordinal of [2, 1, 0, 2, 1, 0]) {
    const { ready, live } = await answersWhileStopping(ordinal);
    cluster.start(ordinal, address(11 + ordinal));
    await cluster.untilReady([ordinal]);
    if (live.some((status) => status !== 200)) throw new Error(`/livez said ${live}`);
    const first = ready.indexOf(503);
    if (first >= 0 && ready.slice(first).every((status) => status === 503)) return;
    if (first >= 0) throw new Error(`/readyz said ${ready}`);
  }
  throw new Error("no pod ever said that it stops");
}

async function answersWhileStopping(ordinal) {
  const pod = cluster.pods[ordinal];
  const stopping = cluster.stop(ordinal);
  const ready = [];
  const live = [];
  while (pod.isRunning) {
    const answers = await Promise.all([
      pod.probe("readinessProbe"),
      pod.probe("livenessProbe"),
      sleep(1),
    ]);
    if (answers[0] !== undefined) ready.push(answers[0].status);
    if (answers[1] !== undefined) live.push(answers[1].status);
  }
  must(await stopping);
  return { ready, live };
}

function must({ code, signal, isOverdue }) {
  if (isOverdue) throw new Error("a pod did not stop within its grace period");
  if (code !== 0) throw new Error(`a pod that was asked to stop ended with ${signal ?? code}`);
}

async function write() {
  const records = Array.from({ length: ROUND }, (_, at) => `record-${written.length + at}`);
  await cluster.run(["topic", "produce", TOPIC], { input: `${records.join("\n")}\n` });
  written.push(...records);
}

async function readAll() {
  const { stdout } = await cluster.run(["topic", "consume", TOPIC, "-e"]);
  const read = stdout.toString().trimEnd().split("\n").sort();
  const expected = [...written].sort();
  if (String(read) === String(expected)) return;
  const missing = expected.filter((record) => !read.includes(record));
  throw new Error(
    `${written.length} records were acknowledged and ${read.length} are there; ` +
      `${missing.length} are missing, the first is ${missing[0]}`,
  );
}

/** Others may run the same on this machine. */
function address(last) {
  return `127.${64 + ((process.pid >> 8) & 63)}.${process.pid & 255}.${last}`;
}

async function step(sentence, work) {
  const startedAtMs = performance.now();
  await work();
  console.log(`ok  ${sentence} (${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s)`);
}
