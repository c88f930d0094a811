/**
 * What many partitions cost: making them, having them, writing to them, and losing a broker that
 * leads a third of them.
 */
import { percentile } from "../../lab/percentile.mjs";
import { sleep } from "../../lab/waiting.mjs";
import { costOf } from "../meter.mjs";
import { residentMb } from "../process-usage.mjs";
import { RecordLoad } from "../record-load.mjs";
import { createTopic, PARTITIONS } from "./produce.mjs";

const VALUE_BYTES = 1_024;
const IDLE_MS = 10_000;
/** What was begun comes to an end before the cluster counts as idle. */
const SETTLE_MS = 3_000;
const MANY = "many";

export async function partitions(bench) {
  const wanted = (name) => bench.isWanted(`partitions_1000_${name}`);
  const cluster = await bench.startCluster();
  const few = wanted("ratio") ? await sticky(bench, cluster, "six") : undefined;
  const fewSpread = wanted("spread_ratio")
    ? await spread(bench, cluster, "six-spread", PARTITIONS)
    : undefined;
  await create(bench, cluster);
  const idleBefore = wanted("idle_cpu") ? await idleCpu(bench, cluster, "before load") : undefined;
  if (few !== undefined || idleBefore !== undefined) {
    const many = await sticky(bench, cluster, MANY);
    if (few !== undefined) ratio(bench, "ratio", few, many);
  }
  if (fewSpread !== undefined) {
    const many = await spread(bench, cluster, MANY, bench.options.partitions);
    ratio(bench, "spread_ratio", fewSpread, many);
  }
  if (idleBefore !== undefined) {
    const idleAfter = await idleCpu(bench, cluster, "after load");
    bench.figure("partitions_1000_idle_cpu", Math.max(idleBefore.percent, idleAfter.percent), {
      of: "the greater",
      before_load: idleBefore.percent,
      after_load: idleAfter.percent,
      other_cpus: [idleBefore.otherCpus, idleAfter.otherCpus],
      window_s: IDLE_MS / 1_000,
      rss_mb: cluster.living.map((node) => residentMb(node.child.pid)),
      partitions: bench.options.partitions,
    });
  }
  if (wanted("failover_s")) await failovers(bench, cluster);
}

/** Until a write to every single one is acknowledged, and nothing is missing a replica. */
async function create(bench, cluster) {
  const client = cluster.connect();
  const producer = client.producer({ lingerMs: 0 });
  // Connected before the time counts: that is not what is asked.
  await createTopic(cluster, "aside");
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    await producer.send({ topic: "aside", partition, value: "first" });
  }
  const startedAtMs = performance.now();
  const secondsSince = () => (performance.now() - startedAtMs) / 1_000;
  let answered;
  let led;
  const window = await bench.window("creation", cluster, async () => {
    await createTopic(cluster, MANY, {
      partitions: bench.options.partitions,
      onCreated: () => {
        answered = secondsSince();
      },
    });
    led = secondsSince();
    await writeToEach(producer, MANY, [...Array(bench.options.partitions).keys()]);
    await cluster.untilHealthy();
    return secondsSince();
  });
  await producer.close();
  bench.figure("partitions_1000_create_s", window.result, {
    ...costOf(window),
    answered_s: answered,
    led_s: led,
    partitions: bench.options.partitions,
  });
}

/** Records without keys, as the client spreads them. */
async function sticky(bench, cluster, topic) {
  return await loaded(bench, cluster, topic, { topic, valueBytes: VALUE_BYTES });
}

/** Each record to the next partition. */
async function spread(bench, cluster, topic, count) {
  return await loaded(bench, cluster, topic, { topic, valueBytes: VALUE_BYTES, spread: count });
}

async function loaded(bench, cluster, topic, load) {
  if (topic !== MANY) await createTopic(cluster, topic);
  const records = new RecordLoad(cluster.connect(), load);
  records.start();
  const kind = load.spread === undefined ? "" : ", each record to the next partition";
  const name = `records to ${topic}${kind}`;
  const window = await bench.steady(name, cluster, () => records.acknowledged);
  await records.stop();
  if (topic !== MANY) await cluster.client.admin.deleteTopic(topic);
  const megabytes = (window.count * VALUE_BYTES) / 1e6;
  return { window, mbPerSecond: megabytes / window.seconds, megabytes };
}

function ratio(bench, name, few, many) {
  bench.figure(`partitions_1000_${name}`, many.mbPerSecond / few.mbPerSecond, {
    ...costOf(many.window),
    other_cpus: [few.window.otherCpus, many.window.otherCpus],
    // What throughput would fall to by the brokers' work alone, whoever else had the CPUs.
    cpu_ratio:
      few.window.brokerCpuSeconds / few.megabytes / (many.window.brokerCpuSeconds / many.megabytes),
    six_mb_s: few.mbPerSecond,
    many_mb_s: many.mbPerSecond,
    six_cpu_s_gb: few.window.brokerCpuSeconds / (few.megabytes / 1e3),
    many_cpu_s_gb: many.window.brokerCpuSeconds / (many.megabytes / 1e3),
    warm_up_s: bench.options.warmUpSeconds,
    partitions: bench.options.partitions,
  });
}

async function idleCpu(bench, cluster, when) {
  await sleep(SETTLE_MS);
  const window = await bench.window(`idle, ${when}`, cluster, async () => await sleep(IDLE_MS));
  return {
    percent: (window.brokerCpuSeconds / window.seconds) * 100,
    otherCpus: window.otherCpus,
  };
}

/** One broker that is not the active controller, and one that is. */
async function failovers(bench, cluster) {
  const other = await killOne(bench, cluster, false);
  const controller = await killOne(bench, cluster, true);
  const worst = other.seconds > controller.seconds ? other : controller;
  bench.figure("partitions_1000_failover_s", worst.seconds, {
    of: "the slower",
    other_s: other.seconds,
    other_p50_s: other.p50,
    controller_s: controller.seconds,
    controller_p50_s: controller.p50,
    leaders: [other.leaders, controller.leaders],
    back_in_sync_s: [other.backSeconds, controller.backSeconds],
    ...costOf(worst.window),
    partitions: bench.options.partitions,
  });
}

async function killOne(bench, cluster, isController) {
  const every = [...Array(bench.options.partitions).keys()];
  await cluster.electPreferred(MANY, every);
  await cluster.untilHealthy(120_000);
  const controller = await cluster.controller();
  const victim = [...cluster.nodes.keys()].find((id) => (id === controller) === isController);
  const described = await cluster.client.admin.describeTopic(MANY);
  const led = described.partitions.filter(({ leaderId }) => leaderId === victim);
  const mine = led.map(({ partition }) => partition);
  // The producer knows every leader, as one that has been writing does.
  const producer = cluster.connect().producer({ lingerMs: 0 });
  await writeToEach(producer, MANY, every);
  const killedAtMs = performance.now();
  await cluster.kill(victim);
  const name = isController ? "failover of the controller" : "failover";
  const window = await bench.window(name, cluster, async () => {
    return await writeToEach(producer, MANY, mine);
  });
  const seconds = window.result.map((atMs) => (atMs - killedAtMs) / 1_000);
  await producer.close();
  bench.say(`${name}: ${mine.length} leaders, ${percentile(seconds, 1).toFixed(2)} s`);
  const restartedAtMs = performance.now();
  cluster.startNode(victim);
  await cluster.untilHealthy(120_000);
  return {
    window,
    leaders: mine.length,
    seconds: percentile(seconds, 1),
    p50: percentile(seconds, 0.5),
    backSeconds: (performance.now() - restartedAtMs) / 1_000,
  };
}

/** When the write to each was acknowledged. */
async function writeToEach(producer, topic, numbers) {
  return await Promise.all(
    numbers.map(async (partition) => {
      await producer.send({ topic, partition, value: "one" });
      return performance.now();
    }),
  );
}
