/**
 * What is done to both sides. Each gets `context` and a side, and returns values by figure. Both
 * sides have each load in turn, so that a machine that slows down slows both.
 */

import { sleep } from "../../lab/waiting.mjs";
import { rounded } from "../figures.mjs";
import { residentMb } from "../process-usage.mjs";

const PARTITIONS = 6;
const MANY = 1_000;
const IDLE_MS = 5_000;
const PAUSE_MS = 1_500;

/** Memory of brokers that have nothing to do, each. */
export async function idle(_context, side) {
  await sleep(IDLE_MS);
  const each = side.pids.map(residentMb);
  const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
  return { idle_rss_mb: { value: mean, brokers: each.map(Math.round) } };
}

export async function produce(context, side) {
  const count = context.records(1_500_000);
  const topic = "produce-1k";
  const load = await produced(context, side, topic, { count, recordBytes: 1_024, isKept: true });
  const gigabytes = (count * 1_024) / 1e9;
  return {
    produce_1k_mb_s: { value: (gigabytes * 1e3) / load.seconds, ...load.more },
    produce_1k_cpu_s_gb: { value: load.cpuSeconds / gigabytes, ...load.more },
  };
}

/** Everything that `produce` wrote, three times. */
export async function consume(context, side) {
  const count = context.records(1_500_000);
  const topic = "produce-1k";
  if (!context.hasTopic(side, topic)) await produce(context, side);
  const reads = [];
  for (let pass = 0; pass < 3; pass += 1) {
    await context.settle();
    const window = await context.metered(side, async () => {
      return await context.rdkafka.consume(side, topic, { count, partitions: PARTITIONS });
    });
    reads.push(window);
  }
  await side.probe.deleteTopic(topic);
  const gigabytes = (count * 1_024 * reads.length) / 1e9;
  const seconds = reads.reduce((sum, { result }) => sum + result, 0);
  const cpuSeconds = reads.reduce((sum, each) => sum + each.cpuSeconds, 0);
  const each = reads.map(({ result }) => Math.round((count * 1_024) / 1e6 / result));
  return {
    consume_mb_s: { value: (gigabytes * 1e3) / seconds, passes: each },
    consume_cpu_s_gb: { value: cpuSeconds / gigabytes },
  };
}

/** Kafka syncs each append to disk too, as ours always does. */
export async function flushed(context, side) {
  const count = context.records(1_000_000);
  const configs = side.name === "kafka" ? { "flush.messages": "1" } : {};
  const load = await produced(context, side, "produce-flushed", {
    count,
    recordBytes: 1_024,
    configs,
  });
  const value = (count * 1_024) / 1e6 / load.seconds;
  return { produce_1k_flushed_mb_s: { value, ...load.more } };
}

export async function small(context, side) {
  const count = context.records(8_000_000);
  const load = await produced(context, side, "produce-100b", { count, recordBytes: 100 });
  return { produce_100b_records_s: { value: count / load.seconds, ...load.more } };
}

export async function java(context, side) {
  const count = context.records(400_000);
  const topic = await context.topic(side, "java-defaults", PARTITIONS);
  await context.settle();
  const window = await context.metered(side, async () => {
    return await context.java.produce(side, topic, { count, recordBytes: 1_024 });
  });
  await side.probe.deleteTopic(topic);
  return { java_defaults_mb_s: { value: (window.result * 1_024) / 1e6, ...window.more } };
}

export async function partitions(context, side) {
  const count = context.records(400_000);
  const load = await produced(context, side, "many-partitions", {
    count,
    recordBytes: 1_024,
    partitions: MANY,
  });
  const value = (count * 1_024) / 1e6 / load.seconds;
  return { partitions_1000_mb_s: { value, ...load.more } };
}

/** One record at a time. */
export async function endToEnd(context, side) {
  const topic = await context.topic(side, "end-to-end", 1);
  await context.settle();
  const window = await context.metered(side, async () => {
    const counts = { uncounted: context.records(2_000), counted: context.records(10_000) };
    return await context.java.oneAtATime(side, topic, { ...counts, recordBytes: 100 });
  });
  const { whole, acknowledged } = window.result;
  const more = { average_ms: rounded(whole.mean), ...window.more };
  return {
    e2e_p50_ms: { value: whole.p50, acknowledged_ms: rounded(acknowledged.p50), ...more },
    e2e_p99_ms: { value: whole.p99, acknowledged_ms: rounded(acknowledged.p99), ...more },
  };
}

/** SIGKILL of the leader, until the next write is acknowledged by two copies. */
export async function failover(context, side) {
  const topic = await context.topic(side, "failover", 1);
  const waits = [];
  for (let kill = 0; kill < context.kills; kill += 1) {
    await side.probe.untilInSync(topic, 1);
    await side.probe.write(topic);
    const leader = await side.probe.leaderOf(topic);
    await side.kill(leader);
    const startedAtMs = performance.now();
    await side.probe.write(topic);
    waits.push((performance.now() - startedAtMs) / 1_000);
    side.startNode(leader);
    await side.untilServing();
  }
  const sorted = waits.toSorted((a, b) => a - b);
  return {
    failover_s: {
      value: sorted[Math.floor((sorted.length - 1) / 2)],
      all: waits.map((each) => Number(each.toFixed(2))),
    },
  };
}

/** One load of records into a topic of its own. */
async function produced(context, side, topic, load) {
  const { count, recordBytes, configs, partitions: wanted = PARTITIONS, isKept = false } = load;
  await context.topic(side, topic, wanted, configs);
  await context.settle();
  const window = await context.metered(side, async () => {
    return await context.rdkafka.produce(side, topic, { count, recordBytes });
  });
  // Left there, it would take part in what follows, and its disk.
  if (!isKept) await side.probe.deleteTopic(topic);
  return { seconds: window.result, cpuSeconds: window.cpuSeconds, more: window.more };
}

/** Kafka's compiler needs load to be at its best; ours is measured as it comes. */
export async function warmUp(context, side, gigabytes) {
  const recordBytes = 1_024;
  const rates = [];
  let left = Math.round((gigabytes * 1e9) / recordBytes);
  while (left > 0) {
    // A topic for each part, so that what is done with can be deleted: three copies are large.
    const topic = await context.topic(side, `warm-up-${rates.length}`, PARTITIONS);
    const count = Math.min(left, 1_500_000);
    const seconds = await context.rdkafka.produce(side, topic, { count, recordBytes });
    await side.probe.deleteTopic(topic);
    rates.push(Math.round((count * recordBytes) / 1e6 / seconds));
    left -= count;
  }
  await sleep(PAUSE_MS);
  return rates;
}
