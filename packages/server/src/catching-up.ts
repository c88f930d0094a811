/**
 * Whether a node that has just been admitted has caught up: it is in sync wherever it keeps a
 * replica that somebody leads. A restart of all nodes one by one waits for this before each next
 * one, or two of three replicas would be behind at once and writes would stop.
 *
 * It is asked once per process. Later a replica may fall behind for a while; that is no reason to
 * send clients away. And it is bounded: a replica that cannot catch up is not helped by a node
 * that stays out.
 */
import type { MetadataImage } from "@strandline/metadata";
import type { NodeId } from "@strandline/model";

export const CATCH_UP_MS_MAX = 60_000;

export class CatchingUp {
  readonly #nodeId: NodeId;
  readonly #msMax: number;
  #sinceMs: number | undefined;
  #isDone = false;

  constructor(nodeId: NodeId, msMax: number = CATCH_UP_MS_MAX) {
    this.#nodeId = nodeId;
    this.#msMax = msMax;
  }

  /** Call while the node is admitted. Returns what is missing; undefined once it is done. */
  problem(image: MetadataImage, nowMs: number): string | undefined {
    if (this.#isDone) return undefined;
    this.#sinceMs ??= nowMs;
    const behind = replicasBehind(image, this.#nodeId);
    if (behind > 0 && nowMs - this.#sinceMs < this.#msMax) {
      return `${behind} ${behind === 1 ? "replica is" : "replicas are"} not in sync yet`;
    }
    this.#isDone = true;
    return undefined;
  }
}

/**
 * Replicas on this node that follow a leader without being in sync with it. Those that a
 * reassignment has just brought have a whole log to copy, and nothing waits for them.
 */
function replicasBehind(image: MetadataImage, node: NodeId): number {
  let behind = 0;
  for (const topic of image.topics.values()) {
    for (const { replicas, adding, isr, leader } of topic.partitions) {
      if (leader === -1 || adding.includes(node)) continue;
      if (replicas.includes(node) && !isr.includes(node)) behind += 1;
    }
  }
  return behind;
}
