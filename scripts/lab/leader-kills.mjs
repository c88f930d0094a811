/**
 * Leaders that are killed one after the other under a writer, and how long it waits each time: from
 * the kill to the next acknowledgement. Every other one is the active controller too: then the
 * cluster has to elect twice.
 */
import { sleep, until } from "./waiting.mjs";

/** Writes between two kills, so that each kill meets a cluster at work. */
const CALM_MS = 1_000;

export class LeaderKills {
  #cluster;
  #topic;
  #writer;
  #count = 0;

  /** `writer` writes to `topic`; it is turned to the partition whose leader is next. */
  constructor(cluster, topic, writer) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#writer = writer;
  }

  /** Kills one, waits, and brings it back. `{ partition, node, isController, waitedMs }` */
  async next() {
    const isControllerWanted = this.#count % 2 === 0;
    this.#count += 1;
    const victim = await this.#chooseVictim(isControllerWanted);
    this.#writer.partitions = [victim.partition];
    await sleep(CALM_MS);
    await this.#writer.untilAcknowledgedSince(performance.now());
    const killedAtMs = performance.now();
    await this.#cluster.kill(victim.node);
    // Only what was sent after its end was seen is surely not an answer of the dead.
    const goneAtMs = performance.now();
    const next = await this.#writer.untilAcknowledgedSince(goneAtMs);
    await sleep(CALM_MS / 2);
    this.#cluster.startNode(victim.node);
    await this.#cluster.untilHealthy();
    await this.#cluster.untilInSync(this.#topic, victim.node);
    return { ...victim, waitedMs: next.acknowledgedAtMs - killedAtMs };
  }

  /** A partition whose leader is, or is not, the active controller. */
  async #chooseVictim(isController) {
    const { partitions } = await this.#cluster.client.admin.describeTopic(this.#topic);
    await this.#cluster.electPreferred(
      this.#topic,
      partitions.map(({ partition }) => partition),
    );
    return await until("a partition is led as wanted", async () => {
      const controller = await this.#cluster.controller();
      const described = await this.#cluster.client.admin.describeTopic(this.#topic);
      const found = described.partitions.find(
        ({ leaderId }) => leaderId >= 0 && (leaderId === controller) === isController,
      );
      if (found === undefined) return undefined;
      return { partition: found.partition, node: found.leaderId, isController };
    });
  }
}
