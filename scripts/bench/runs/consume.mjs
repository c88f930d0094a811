/**
 * Reading what was written before, so that nothing but reading is measured: what lies in the
 * brokers' memory, again and again; and what lies in files, after the brokers were started anew.
 */
import { BATCH_BYTES, BATCH_VALUE_BYTES, BatchLoad, RECORDS_PER_BATCH } from "../batch-load.mjs";
import { costOf } from "../meter.mjs";
import { RawReader } from "../raw-reader.mjs";
import { RecordReader } from "../record-reader.mjs";
import { createTopic, PARTITIONS } from "./produce.mjs";

/** Of six partitions, led and followed alike, less than the 64 MiB that a broker has in memory. */
const TAIL_BATCHES = Math.floor((7 * 1024 * 1024) / BATCH_BYTES);
/** Readers of everything at once: while one begins anew another keeps the brokers busy. */
const TAIL_READERS = 2;
/** Read before the measuring begins, from files of their own. Bytes of values. */
const WARM_UP_BYTES = 500e6;
/** Written for each second that a cold read is to take. Bytes of values. */
const COLD_BYTES_PER_SECOND = 200e6;

export async function consume(bench) {
  const cluster = await bench.startCluster();
  const isCpuWanted = bench.isWanted("grpc_consume_cpu_s_gb");
  const cpu = {};
  if (isCpuWanted || bench.isWanted("grpc_consume_tail_mb_s", "grpc_consume_tail_records_mb_s")) {
    cpu.tail = await tail(bench, cluster);
  }
  if (isCpuWanted || bench.isWanted("grpc_consume_cold_mb_s", "grpc_consume_cold_records_mb_s")) {
    cpu.cold = await cold(bench, cluster);
  }
  if (isCpuWanted) {
    bench.figure("grpc_consume_cpu_s_gb", Math.max(cpu.tail, cpu.cold), {
      of: "the dearer",
      tail: cpu.tail,
      cold: cpu.cold,
    });
  }
}

async function tail(bench, cluster) {
  await createTopic(cluster, "tail");
  await fill(cluster, "tail", PARTITIONS * 4 * TAIL_BATCHES * BATCH_VALUE_BYTES);
  const ends = await spansOf(cluster, "tail");
  const spans = ends.map((span) => {
    const from = span.to - TAIL_BATCHES * RECORDS_PER_BATCH;
    if (from < 0) throw new Error(`partition ${span.partition} got too little`);
    return { ...span, from };
  });
  const readers = Array.from({ length: TAIL_READERS }, () => new RawReader(cluster, "tail", spans));
  const raw = await repeated(bench, cluster, "tail, batches", readers);
  const how = { warm_up_s: bench.options.warmUpSeconds };
  bench.figure("grpc_consume_tail_mb_s", raw.megabytes / raw.seconds, {
    ...raw.more,
    ...how,
    reads: "encoded batches",
    readers: TAIL_READERS,
  });
  if (bench.isWanted("grpc_consume_tail_records_mb_s")) {
    const reader = new RecordReader(cluster.connect(), "tail", spans);
    const records = await repeated(bench, cluster, "tail, records", [reader]);
    await reader.close();
    bench.figure("grpc_consume_tail_records_mb_s", records.megabytes / records.seconds, {
      ...records.more,
      ...how,
      reads: "records, by the client's consumer",
    });
  }
  return raw.cpuPerGigabyte;
}

async function cold(bench, cluster) {
  await createTopic(cluster, "cold-warm-up");
  await fill(cluster, "cold-warm-up", WARM_UP_BYTES);
  await createTopic(cluster, "cold");
  await fill(cluster, "cold", COLD_BYTES_PER_SECOND * bench.options.seconds);
  for (const id of cluster.nodes.keys()) await cluster.stop(id);
  for (const id of cluster.nodes.keys()) cluster.startNode(id);
  await cluster.untilHealthy();
  for (const topic of ["cold-warm-up", "cold"]) {
    await cluster.electPreferred(topic, [...Array(PARTITIONS).keys()]);
  }
  await cluster.untilHealthy();
  const warmUp = new RawReader(cluster, "cold-warm-up", await spansOf(cluster, "cold-warm-up"));
  await warmUp.pass();
  const spans = await spansOf(cluster, "cold");
  // Once only: a broker checks a file's checksums the first time it reads it.
  const raw = await once(bench, cluster, "cold, batches", new RawReader(cluster, "cold", spans));
  bench.figure("grpc_consume_cold_mb_s", raw.megabytes / raw.seconds, {
    ...raw.more,
    reads: "encoded batches, for the first time since the brokers' start",
    warm_up_gb: WARM_UP_BYTES / 1e9,
  });
  if (bench.isWanted("grpc_consume_cold_records_mb_s")) {
    const reader = new RecordReader(cluster.connect(), "cold", spans);
    const records = await once(bench, cluster, "cold, records", reader);
    await reader.close();
    bench.figure("grpc_consume_cold_records_mb_s", records.megabytes / records.seconds, {
      ...records.more,
      reads: "records, by the client's consumer, for the second time",
    });
  }
  return raw.cpuPerGigabyte;
}

async function fill(cluster, topic, bytes) {
  const load = await BatchLoad.open(cluster, topic);
  load.start();
  await load.untilAcknowledged(bytes);
  await load.stop();
}

/** All of a topic, and who leads each partition. */
export async function spansOf(cluster, topic) {
  const { partitions } = await cluster.client.admin.describeTopic(topic);
  const ends = await cluster.client.admin.listOffsets({ topic, position: "latest" });
  const endOf = new Map(ends.map((each) => [each.partition, each.offset]));
  return partitions.map(({ partition, leaderId }) => ({
    partition,
    leader: leaderId,
    from: 0,
    to: endOf.get(partition),
  }));
}

/** Reads on while a window is measured. A reader that fails ends the run. */
async function repeated(bench, cluster, name, readers) {
  const reading = Promise.all(readers.map(async (reader) => await reader.repeat()));
  const total = () => readers.reduce((sum, { readBytes }) => sum + readBytes, 0);
  try {
    const failed = reading.then(() => Promise.reject(new Error("the readers ended early")));
    failed.catch(() => undefined);
    return rates(await Promise.race([bench.steady(name, cluster, total), failed]));
  } finally {
    for (const reader of readers) reader.stop();
    await reading;
  }
}

async function once(bench, cluster, name, reader) {
  const window = await bench.window(name, cluster, async () => {
    await reader.pass();
    return reader.readBytes;
  });
  return rates({ ...window, count: window.result });
}

function rates(window) {
  const cpuPerGigabyte = window.brokerCpuSeconds / (window.count / 1e9);
  return {
    megabytes: window.count / 1e6,
    seconds: window.seconds,
    cpuPerGigabyte,
    more: {
      ...costOf(window),
      broker_cpu_s_gb: cpuPerGigabyte,
      // Near 0 when memory answers, at least 1 when files do.
      file_bytes_per_byte: window.brokerReadBytes / window.count,
    },
  };
}
