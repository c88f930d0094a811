/** Stops that were asked for: nobody notices one broker's, and nothing is left of a whole cluster. */
import { existsSync } from "node:fs";
import { Cluster } from "../lab/cluster.mjs";
import { failureOf, mustRun } from "../lab/command.mjs";
import { holdPort, releasePort } from "../lab/ports.mjs";
import { UpCluster } from "../lab/up-cluster.mjs";
import { sleep } from "../lab/waiting.mjs";
import { Writer } from "../lab/writer.mjs";
import { checkPromises } from "./kept-promises.mjs";

const TOPIC = "clean-stop";
const PARTITIONS = [0, 1, 2];
const SILENCE_MS_MAX = 1_000;

export async function cleanStop(context) {
  await oneUnderLoad(context);
  await wholeCluster(context);
  await ephemeralCluster(context);
}

/** Each broker in turn is asked to stop while records flow to all partitions. */
async function oneUnderLoad({ report, workspace }) {
  const cluster = await Cluster.start(workspace);
  await mustRun(workspace, [
    ...["topic", "create", TOPIC, "-p", String(PARTITIONS.length), "-b", cluster.brokers],
  ]);
  const writer = new Writer(cluster.connect(), { topic: TOPIC, partitions: PARTITIONS, window: 9 });
  writer.start();
  const silences = [];
  const stops = [];
  for (const id of cluster.nodes.keys()) {
    await cluster.electPreferred(TOPIC, PARTITIONS);
    await sleep(1_000);
    const askedAtMs = performance.now();
    const { code, isOverdue } = await cluster.stop(id);
    stops.push(Math.round(performance.now() - askedAtMs));
    await sleep(1_000);
    silences.push(Math.round(writer.longestSilenceMs(askedAtMs, performance.now())));
    const said = cluster.nodes.get(id).child.stderr.trim().slice(-300);
    report.check(
      `node ${id} stops with exit code 0 when asked under load`,
      isOverdue ? "it had not ended after 20 s" : code === 0 ? undefined : `code ${code}: ${said}`,
    );
    cluster.startNode(id);
    await cluster.untilHealthy();
  }
  await writer.stop();
  const longest = Math.max(...silences);
  report.check(
    `leaderships are handed over within ${SILENCE_MS_MAX} ms`,
    longest < SILENCE_MS_MAX ? undefined : `nothing was acknowledged for ${longest} ms`,
    { silence_ms: silences, stop_ms: stops },
  );
  await checkPromises(report, cluster, {
    writer,
    topic: TOPIC,
    partitions: PARTITIONS,
    fault: "while brokers stop and start",
  });
}

async function wholeCluster({ report, workspace }) {
  const directory = workspace.path("up");
  const cluster = await UpCluster.start(workspace, ["--data-dir", directory]);
  const { brokers } = cluster;
  await mustRun(workspace, ["topic", "create", "kept", "-b", brokers]);
  await mustRun(workspace, ["topic", "produce", "kept", "-b", brokers], { input: "one\ntwo\n" });
  await checkInterrupt({ report, cluster, name: "Ctrl-C of `strandline up`" });
  const again = await UpCluster.start(workspace, ["--data-dir", directory], cluster.grpcPort);
  const consumed = await mustRun(workspace, ["topic", "consume", "kept", "-e", "-b", brokers]);
  report.check(
    "`strandline up` on the same directory and ports has the records",
    consumed.stdout.toString() === "one\ntwo\n" ? undefined : `it has ${consumed.stdout}`,
  );
  await checkInterrupt({ report, cluster: again, name: "Ctrl-C of the second `up`" });
}

async function ephemeralCluster({ report, workspace }) {
  const cluster = await UpCluster.start(workspace, ["--ephemeral"]);
  const isThere = cluster.directory !== undefined && existsSync(cluster.directory);
  await checkInterrupt({ report, cluster, name: "Ctrl-C of `up --ephemeral`" });
  report.check(
    "`up --ephemeral` removes its directory",
    !isThere
      ? `its directory, ${cluster.directory}, was not there while it ran`
      : existsSync(cluster.directory)
        ? `${cluster.directory} is still there`
        : undefined,
  );
}

async function checkInterrupt({ report, cluster, name }) {
  const askedAtMs = performance.now();
  const outcome = await cluster.interrupt();
  const tookMs = Math.round(performance.now() - askedAtMs);
  const result = { command: "strandline up", stderr: cluster.child.stderr, tookMs, ...outcome };
  report.check(
    `${name} ends it with exit code 0`,
    outcome.code === 0 ? undefined : failureOf(result),
    { took_ms: tookMs },
  );
  const left = cluster.nodes.filter((node) => node.isAlive).map((node) => node.pid);
  report.check(
    `${name} leaves no process`,
    left.length === 0 ? undefined : `processes ${left.join(", ")} still run`,
  );
  report.check(`${name} frees the ports`, await takenPorts(cluster));
}

async function takenPorts({ grpcPort, peerPort }) {
  const taken = [];
  for (const port of [grpcPort, grpcPort + 1, grpcPort + 2, peerPort, peerPort + 1, peerPort + 2]) {
    try {
      await releasePort(await holdPort(port));
    } catch (error) {
      taken.push(`${port} (${error.code})`);
    }
  }
  return taken.length === 0 ? undefined : `still taken: ${taken.join(", ")}`;
}
