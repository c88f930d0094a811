/** Writing with acks=all to six partitions, as fast as it goes. */
import { BatchLoad } from "../batch-load.mjs";
import { REPLICAS } from "../bench.mjs";
import { costOf } from "../meter.mjs";
import { RecordLoad } from "../record-load.mjs";

export const PARTITIONS = 6;

export async function records1k(bench) {
  const window = await produceRecords(bench, 1_024);
  const bytes = window.count * 1_024;
  const more = { ...costOf(window), warm_up_s: bench.options.warmUpSeconds };
  bench.figure("grpc_produce_1k_mb_s", bytes / 1e6 / window.seconds, more);
  bench.figure("grpc_produce_1k_cpu_s_gb", window.brokerCpuSeconds / (bytes / 1e9), {
    other_cpus: window.otherCpus,
    client_cpu_s_gb: window.clientCpuSeconds / (bytes / 1e9),
  });
}

export async function records100b(bench) {
  const window = await produceRecords(bench, 100);
  bench.figure("grpc_produce_100b_records_s", window.count / window.seconds, {
    ...costOf(window),
    broker_cpu_us_per_record: (window.brokerCpuSeconds / window.count) * 1e6,
    client_cpu_us_per_record: (window.clientCpuSeconds / window.count) * 1e6,
    warm_up_s: bench.options.warmUpSeconds,
  });
}

/** Batches that are encoded once: what the brokers take, not the client. */
export async function batches(bench) {
  const cluster = await bench.startCluster();
  await createTopic(cluster, "batches");
  const load = await BatchLoad.open(cluster, "batches");
  load.start();
  const window = await bench.steady("batches", cluster, () => load.acknowledgedBytes);
  await load.stop();
  const gigabytes = window.count / 1e9;
  const more = { ...costOf(window), warm_up_s: bench.options.warmUpSeconds };
  bench.figure("grpc_produce_batches_mb_s", (gigabytes * 1e3) / window.seconds, more);
  bench.figure("grpc_produce_batches_cpu_s_gb", window.brokerCpuSeconds / gigabytes, {
    other_cpus: window.otherCpus,
    client_cpu_s_gb: window.clientCpuSeconds / gigabytes,
  });
}

async function produceRecords(bench, valueBytes) {
  const cluster = await bench.startCluster();
  await createTopic(cluster, "records");
  const load = new RecordLoad(cluster.connect(), { topic: "records", valueBytes });
  load.start();
  const window = await bench.steady(`records of ${valueBytes} bytes`, cluster, () => {
    return load.acknowledged;
  });
  await load.stop();
  return window;
}

export async function createTopic(cluster, name, options = {}) {
  const { partitions = PARTITIONS, configs = {}, onCreated = () => undefined } = options;
  const { admin } = cluster.client;
  const timeoutMs = 60_000;
  try {
    const topic = { name, partitions, replicationFactor: REPLICAS, configs };
    await admin.createTopic(topic, { timeoutMs });
    onCreated();
  } catch (error) {
    // An answer that did not come in time says nothing about the topic.
    if (error.code !== "UNAVAILABLE") throw error;
  }
  await admin.waitForTopic(name, { timeoutMs });
}
