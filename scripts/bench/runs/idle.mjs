/** Memory of brokers that have nothing to do. */
import { sleep } from "../../lab/waiting.mjs";
import { residentMb } from "../process-usage.mjs";

const IDLE_MS = 5_000;

export async function idle(bench) {
  const cluster = await bench.startCluster();
  await sleep(IDLE_MS);
  const each = cluster.living.map((node) => residentMb(node.child.pid));
  bench.figure("idle_rss_mb", Math.max(...each), { brokers: each });
}
