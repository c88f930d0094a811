/**
 * Which fault comes next, against whom, for how long. Only the seed decides; who leads or controls
 * is found out when the time has come. Drawn from a bag that holds every kind, so that also a short
 * run meets them all.
 */
import { SeededRandom } from "./seeded-random.mjs";

const BAG = [
  "kill-random",
  "kill-leader",
  "kill-leader",
  "kill-controller",
  "kill-two",
  "kill-all",
  "pause-random",
  "pause-leader",
  "pause-controller",
  "kill-while-paused",
];

/** Every kind there is, as reports list them. */
export const FAULT_KINDS = [...new Set(BAG)];

export class FaultSchedule {
  #random;
  #bag = [];
  #drawn = 0;

  constructor(seed) {
    this.#random = new SeededRandom(seed);
  }

  /** Every fault takes the same draws, whatever its kind: one more kind moves no other number. */
  next() {
    if (this.#bag.length === 0) this.#bag = this.#random.shuffled(BAG);
    this.#drawn += 1;
    const random = this.#random;
    return {
      number: this.#drawn,
      kind: this.#bag.pop(),
      /** Who comes first, second, third when brokers are chosen at random. */
      order: random.shuffled([0, 1, 2]),
      /** A share of the partitions: whose leader is meant. */
      partitionShare: random.next(),
      downMs: random.logarithmic(500, 5_000),
      /** From the first restart of several to the next. */
      staggerMs: random.logarithmic(100, 3_000),
      pauseMs: random.logarithmic(1_000, 20_000),
      /** From the pause to the kill of another broker. */
      gapMs: random.logarithmic(100, 2_000),
      /** Undisturbed writes after everyone is back. */
      calmMs: random.logarithmic(1_000, 4_000),
    };
  }
}
