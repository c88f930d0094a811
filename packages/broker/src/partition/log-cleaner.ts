/**
 * Compacts the logs of this broker's compacted topics, one at a time: whichever needs it most goes
 * first, and between two looks at all of them there is time for everything else.
 *
 * Each replica compacts for itself, by what it knows to be committed. So two replicas hold the
 * same records at the same offsets as far as both still have them, but not the same bytes.
 */
import type { Clock, Logger, Random } from "@strandline/platform";
import type { Partition } from "./partition.js";

/** Memory for the keys of one round: some 30 MB at most, given back after it. */
const KEYS_MAX = 500_000;
const SEED_BOUND = 2 ** 32;

export class LogCleaner {
  readonly #ports: { readonly clock: Clock; readonly random: Random; readonly logger: Logger };
  readonly #partitions: () => Iterable<Partition>;
  readonly #checkMs: number;
  #dueAtMs: number | undefined;
  #isRunning = false;
  #isClosed = false;

  constructor(
    ports: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
    options: {
      readonly partitions: () => Iterable<Partition>;
      /** Time between two looks at what there is to do. */
      readonly checkMs: number;
    },
  ) {
    this.#ports = ports;
    this.#partitions = options.partitions;
    this.#checkMs = options.checkMs;
  }

  /** To be called often; does nothing most of the time. */
  tick(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#dueAtMs ??= nowMs + this.#checkMs;
    if (this.#isRunning || this.#isClosed || nowMs < this.#dueAtMs) return;
    this.#isRunning = true;
    this.#clean().then(
      () => this.#rest(),
      (error: unknown) => {
        this.#ports.logger.error({ error: String(error) }, "compaction failed; tried again later");
        this.#rest();
      },
    );
  }

  /** Begins no more rounds. One that runs ends when its log is closed. */
  close(): void {
    this.#isClosed = true;
  }

  #rest(): void {
    this.#isRunning = false;
    this.#dueAtMs = this.#ports.clock.monotonicMs() + this.#checkMs;
  }

  /** A round for each log that needs one now. */
  async #clean(): Promise<void> {
    const seen = new Set<Partition>();
    for (;;) {
      const partition = this.#neediest(seen);
      if (partition === undefined || this.#isClosed) return;
      seen.add(partition);
      try {
        await this.#compact(partition);
      } catch (error) {
        this.#ports.logger.error(
          { partition: partition.key, error: String(error) },
          "compaction failed; tried again later",
        );
      }
    }
  }

  async #compact(partition: Partition): Promise<void> {
    const { clock, logger, random } = this.#ports;
    const startedAtMs = clock.monotonicMs();
    const report = await partition.log.compact({
      endOffset: partition.highWatermark,
      seed: random.below(SEED_BOUND),
      keysMax: KEYS_MAX,
    });
    if (report === undefined) return;
    logger.info(
      { partition: partition.key, ...report, tookMs: clock.monotonicMs() - startedAtMs },
      "compacted a log",
    );
  }

  /** Of those not yet seen: what is overdue first, then the dirtiest. */
  #neediest(seen: ReadonlySet<Partition>): Partition | undefined {
    let found: Partition | undefined;
    let most = -1;
    for (const partition of this.#partitions()) {
      if (seen.has(partition)) continue;
      const need = partition.log.compactionNeed(partition.highWatermark);
      if (need === undefined) continue;
      const weight = need.dirtyRatio + (need.isOverdue ? 1 : 0);
      if (weight <= most) continue;
      most = weight;
      found = partition;
    }
    return found;
  }
}
