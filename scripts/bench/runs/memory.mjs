/**
 * Memory of brokers that work: written and read at full speed, looked at half way and at the end.
 * What was read is deleted as the run goes on, so that the disk holds a few GB at most.
 */
import { sleep } from "../../lab/waiting.mjs";
import { BatchLoad } from "../batch-load.mjs";
import { costOf } from "../meter.mjs";
import { directoryBytes, residentMb } from "../process-usage.mjs";
import { RawReader } from "../raw-reader.mjs";
import { spansOf } from "./consume.mjs";
import { createTopic } from "./produce.mjs";

const LOOK_MS = 200;
/** Bytes of values between two deletions of what was there at the one before. */
const DELETE_EVERY_BYTES = 300e6;
/** More than this between the second and the last quarter is growth, not the collector's mood. */
const GROWTH_MAX = 1.1;
const CONFIGS = { "segment.bytes": String(32 * 1024 * 1024), "file.delete.delay.ms": "1000" };
const TOPIC = "memory";

export async function memory(bench) {
  const cluster = await bench.startCluster();
  const idle = look(cluster);
  await createTopic(cluster, TOPIC, { configs: CONFIGS });
  const reader = new RawReader(cluster, TOPIC, await spansOf(cluster, TOPIC));
  const reading = reader.follow();
  reading.catch(() => undefined);
  const load = await BatchLoad.open(cluster, TOPIC);
  load.start();
  const totalBytes = bench.options.gigabytes * 1e9;
  const samples = [];
  const window = await bench.window("writing and reading", cluster, async () => {
    const trimmer = new Trimmer(cluster);
    while (load.acknowledgedBytes < totalBytes) {
      await Promise.race([sleep(LOOK_MS), reading]);
      if (load.failure !== undefined) break;
      samples.push({ bytes: load.acknowledgedBytes, each: look(cluster) });
      await trimmer.trim(load.acknowledgedBytes);
    }
    return load.acknowledgedBytes;
  });
  const diskBytes = directoryBytes(bench.workspace.directory);
  await load.stop();
  reader.stop();
  await reading;
  const half = largest(samples, totalBytes / 2, totalBytes);
  const end = largest(samples, totalBytes, totalBytes);
  const isGrowing = Math.max(...end) > Math.max(...half) * GROWTH_MAX;
  const more = {
    ...costOf(window),
    second_quarter: half,
    last_quarter: end,
    peak: Math.max(...samples.flatMap(({ each }) => each)),
    before: idle,
    grows: isGrowing,
    disk_gb: diskBytes / 1e9,
    written_gb: window.result / 1e9,
    read_gb: reader.readBytes / 1e9,
    written_mb_s: window.result / 1e6 / window.seconds,
  };
  bench.figure("loaded_rss_mb", Math.max(...end), more, !isGrowing);
}

function look(cluster) {
  return cluster.living.map((node) => residentMb(node.child.pid));
}

/**
 * Largest of each broker over the quarter of the run before `bytes` were written: memory goes up
 * between two collections and down with each, so that two moments of it cannot be compared.
 */
function largest(samples, bytes, totalBytes) {
  const from = bytes - totalBytes / 4;
  const near = samples.filter((each) => each.bytes <= bytes && each.bytes > from);
  const chosen = near.length > 0 ? near : samples.slice(-1);
  return chosen[0].each.map((_, at) => Math.max(...chosen.map(({ each }) => each[at])));
}

/** Deletes what was there a while ago: readers are beyond it. */
class Trimmer {
  #cluster;
  #ends;
  #trimmedBytes = 0;

  constructor(cluster) {
    this.#cluster = cluster;
  }

  async trim(writtenBytes) {
    if (writtenBytes < this.#trimmedBytes + DELETE_EVERY_BYTES) return;
    this.#trimmedBytes = writtenBytes;
    const { admin } = this.#cluster.client;
    const before = this.#ends;
    this.#ends = await admin.listOffsets({ topic: TOPIC, position: "latest" });
    if (before === undefined) return;
    const targets = before.map(({ partition, offset }) => ({ partition, before: offset }));
    for (const { partition, error } of await admin.deleteRecords({ topic: TOPIC, targets })) {
      if (error !== undefined) throw new Error(`partition ${partition}: ${error.message}`);
    }
  }
}
