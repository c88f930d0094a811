/**
 * Latency at a modest, steady rate. Each record is due at a moment of a plan that waits for nothing,
 * and its latency counts from then. Producer, consumer and timekeeper are threads and clients of
 * this process, which is idle otherwise: one clock, and no process more on a small machine.
 */
import { percentile } from "../../lab/percentile.mjs";
import { sleep, until } from "../../lab/waiting.mjs";
import { costOf } from "../meter.mjs";
import { monotonicMs } from "../monotonic.mjs";
import { pace } from "../pacer.mjs";
import { Plan } from "../plan.mjs";
import { createTopic, PARTITIONS } from "./produce.mjs";

const PER_SECOND = 1_000;
const VALUE_BYTES = 1_024;
/** From the first call of the plan on: a thread starts in that time. */
const HEAD_START_MS = 200;

export async function latency(bench) {
  const cluster = await bench.startCluster();
  await createTopic(cluster, "aside");
  if (bench.isWanted("produce_p50_ms", "produce_p99_ms")) await produced(bench, cluster);
  if (bench.isWanted("e2e_p50_ms", "e2e_p99_ms")) await endToEnd(bench, cluster);
}

async function produced(bench, cluster) {
  await createTopic(cluster, "produced");
  const run = await paced(bench, cluster, "produced");
  report(bench, "produce", run, run.acknowledged);
}

async function endToEnd(bench, cluster) {
  await createTopic(cluster, "consumed");
  const consumer = cluster.connect().consumer();
  await consumer.assign(
    Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic: "consumed",
      partition,
      start: "earliest",
    })),
  );
  const stop = new AbortController();
  const arrivals = new Map();
  const reading = read(consumer, stop.signal, arrivals);
  // Its failure is told below; until then it must not end this process.
  reading.catch(() => undefined);
  const run = await paced(bench, cluster, "consumed");
  await until("every record has arrived", () => arrivals.size >= run.plan.count, {
    timeoutMs: 10_000,
  });
  stop.abort();
  await reading;
  await consumer.close();
  const took = [];
  for (let index = run.firstMeasured; index < run.plan.count; index += 1) {
    took.push(arrivals.get(index) - run.plan.dueAtMs(index));
  }
  report(bench, "e2e", run, took);
}

async function read(consumer, signal, arrivals) {
  try {
    for await (const { value } of consumer.records({ signal })) {
      arrivals.set(Buffer.from(value.buffer, value.byteOffset, 4).readUInt32LE(), monotonicMs());
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Sends by plan, the warm-up included. Rejects when a record could not be stored. */
async function paced(bench, cluster, topic) {
  const { seconds, warmUpSeconds } = bench.options;
  const producer = cluster.connect().producer({ lingerMs: 0 });
  // Connections and metadata are there before the plan begins.
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    await producer.send({ topic: "aside", partition, value: "first" });
  }
  const plan = new Plan({
    startMs: monotonicMs() + HEAD_START_MS,
    perSecond: PER_SECOND,
    count: Math.round((warmUpSeconds + seconds) * PER_SECOND),
  });
  const firstMeasured = Math.round(warmUpSeconds * PER_SECOND);
  const acknowledged = [];
  const late = [];
  let failure;
  let settled = 0;
  const send = async (index) => {
    const value = Buffer.alloc(VALUE_BYTES);
    value.writeUInt32LE(index);
    const calledAtMs = monotonicMs();
    await producer.send({ topic, partition: index % PARTITIONS, value });
    if (index < firstMeasured) return;
    acknowledged.push(monotonicMs() - plan.dueAtMs(index));
    late.push(calledAtMs - plan.dueAtMs(index));
  };
  const pacing = pace(plan, (index) => {
    send(index)
      .catch((error) => {
        failure ??= error;
      })
      .finally(() => {
        settled += 1;
      });
  });
  pacing.catch(() => undefined);
  await sleep(HEAD_START_MS + warmUpSeconds * 1_000);
  const window = await bench.window(`latency, ${topic}`, cluster, async () => await pacing);
  await until("every record is settled", () => settled >= plan.count, { timeoutMs: 30_000 });
  await producer.close();
  if (failure !== undefined) throw failure;
  return { plan, firstMeasured, acknowledged, late, window };
}

function report(bench, name, { late, window }, took) {
  const more = {
    other_cpus: window.otherCpus,
    records: took.length,
    max_ms: percentile(took, 1),
    // How late this process itself made its calls: part of the latency all the same.
    call_late_p50_ms: percentile(late, 0.5),
    call_late_p99_ms: percentile(late, 0.99),
  };
  bench.figure(`${name}_p50_ms`, percentile(took, 0.5), {
    ...costOf(window),
    ...more,
    value_bytes: VALUE_BYTES,
    per_second: PER_SECOND,
    warm_up_s: bench.options.warmUpSeconds,
    consumer: name === "e2e" ? "in the producer's process, another client" : "none",
  });
  bench.figure(`${name}_p99_ms`, percentile(took, 0.99), more);
}
