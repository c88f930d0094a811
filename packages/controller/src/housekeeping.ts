/**
 * What the active controller does of itself: leaderships go back to the preferred replicas from
 * time to time, and reassignments end when the replicas that were added have caught up.
 */
import { isReassigned, type MetadataCommand, type MetadataImage } from "@strandline/metadata";

const REBALANCE_MS = 300_000;

export interface HousekeepingOwner {
  /** What is committed. */
  image(): MetadataImage;
  /** Runs a command of the controller's own. What becomes of it is seen in the image. */
  submit(command: MetadataCommand): void;
}

export class Housekeeping {
  readonly #owner: HousekeepingOwner;
  #rebalanceAtMs = 0;
  /** The image whose reassignments were looked at last: each is looked at once. */
  #reviewed: MetadataImage | undefined;

  constructor(owner: HousekeepingOwner) {
    this.#owner = owner;
  }

  /** This controller has become the active one. */
  activated(nowMs: number): void {
    this.#rebalanceAtMs = nowMs + REBALANCE_MS;
    this.#reviewed = undefined;
  }

  /** Time has passed, and this controller is active. */
  tick(nowMs: number): void {
    this.#completeReassignments();
    if (nowMs < this.#rebalanceAtMs) return;
    this.#rebalanceAtMs = nowMs + REBALANCE_MS;
    this.#owner.submit({ kind: "rebalance-leaders" });
  }

  #completeReassignments(): void {
    const image = this.#owner.image();
    if (image === this.#reviewed) return;
    this.#reviewed = image;
    for (const topic of image.topics.values()) {
      if (!topic.partitions.some(isReassigned)) continue;
      this.#owner.submit({ kind: "complete-reassignments" });
      return;
    }
  }
}
