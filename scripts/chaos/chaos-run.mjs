/** One run: workload and faults, then the reading back. Whatever goes wrong becomes a problem. */
import { setTimeout as sleep } from "node:timers/promises";
import { Availability } from "./availability.mjs";
import { Brokers } from "./brokers.mjs";
import { FaultSchedule } from "./fault-schedule.mjs";
import { Faults } from "./faults.mjs";
import { History } from "./history.mjs";
import { Observer } from "./observer.mjs";
import { ReplicaReadback } from "./replica-readback.mjs";
import { TailingReader } from "./tailing-reader.mjs";
import { Workload } from "./workload.mjs";

const PARTITIONS = 6;
const PRODUCERS = 4;
const READERS = 2;

/**
 * Longest that a partition may go without an acknowledged write while a majority of the brokers
 * runs, and that a broker may take to be back in sync.
 */
export const STALL_MS_MAX = 30_000;
export const REJOIN_MS_MAX = 60_000;

const WATCH_MS = 250;
const SETTLE_MS = 120_000;

export class ChaosRun {
  /** Sentences: what went wrong beside the contents of the log. */
  problems = [];
  topic = `chaos-${Date.now().toString(36)}`;
  history = new History({ producers: PRODUCERS, partitions: PARTITIONS });
  availability;
  brokers;
  faults;
  workload;
  /** Of the writing, on the monotonic clock. */
  endedAtMs;
  /** Brokers from which everything was read. */
  readFrom = [];
  #target;
  #options;
  #observer;
  #readers = [];
  #isSendProblemTold = false;
  #interrupted = new AbortController();
  /** Aborted by the first problem: more faults would only hide it. */
  #failed = new AbortController();

  constructor(target, options) {
    this.#target = target;
    this.#options = options;
  }

  get isInterrupted() {
    return this.#interrupted.signal.aborted;
  }

  /** Ends it early: everything that is under way comes to an end, and is reported. */
  interrupt() {
    this.#interrupted.abort();
  }

  async run() {
    const { signal } = this.#interrupted;
    this.#observer = new Observer(this.#target, this.topic);
    await this.#observer.createTopic(PARTITIONS);
    await this.#observer.untilHealthy({ timeoutMs: REJOIN_MS_MAX, signal });
    this.availability = new Availability(PARTITIONS, performance.now());
    this.brokers = new Brokers(this.#target, (isThere, atMs) =>
      this.availability.setMajority(isThere, atMs),
    );
    const { brokers, availability } = this;
    this.faults = new Faults({
      brokers,
      observer: this.#observer,
      availability,
      signal: this.#faultSignal,
    });
    await this.#startWorkload();
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    try {
      await this.#attempt(async () => await this.#faultsInTurn());
      await this.#attempt(async () => await this.#settle());
      if (!this.isInterrupted) await this.#attempt(async () => await this.#readBack());
      this.#watch();
    } finally {
      clearInterval(watch);
      await this.#close();
    }
  }

  /** For a cluster that goes on, when nobody has to look into what was written. */
  async deleteTopic() {
    const observer = new Observer(this.#target, this.topic);
    try {
      await observer.deleteTopic();
    } finally {
      await observer.close();
    }
  }

  /** The schedule until the time is over; then everyone is back. */
  async #faultsInTurn() {
    const { minutes, seed, say } = this.#options;
    const signal = this.#faultSignal;
    const schedule = new FaultSchedule(seed);
    const endsAtMs = performance.now() + minutes * 60_000;
    const healthy = { timeoutMs: REJOIN_MS_MAX, signal };
    await sleep(1_000, undefined, { signal });
    while (performance.now() < endsAtMs) {
      const drawn = schedule.next();
      const fault = await this.faults.perform(drawn);
      await this.#observer.untilHealthy(healthy);
      const tookMs = performance.now() - fault.atMs;
      const victims = fault.victims.join(", ");
      const atSeconds = (fault.atMs - this.availability.startedAtMs) / 1_000;
      say(
        `${atSeconds.toFixed(1).padStart(7)} s  fault ${fault.number}: ${fault.kind}, ` +
          `broker ${victims}; all back after ${(tookMs / 1_000).toFixed(1)} s; ` +
          `${this.history.acknowledgedCount} acknowledged`,
      );
      await sleep(Math.min(drawn.calmMs, Math.max(0, endsAtMs - performance.now())), undefined, {
        signal,
      });
    }
  }

  async #startWorkload() {
    const { history, availability, topic } = this;
    const { bootstrap } = this.#target;
    for (let at = 1; at <= READERS; at += 1) {
      const reader = new TailingReader({ bootstrap, history, topic, name: `chaos-reader-${at}` });
      this.#readers.push(reader);
      await reader.start(PARTITIONS);
    }
    const { recordsPerSecond } = this.#options;
    this.workload = new Workload({ bootstrap, history, availability, topic, recordsPerSecond });
    this.workload.start();
  }

  /** Nothing is sent any more, everything is answered, every reader is at the end. */
  async #settle() {
    const { signal } = this.#interrupted;
    this.workload.pause();
    this.endedAtMs = performance.now();
    this.availability.finish(this.endedAtMs);
    if (this.isInterrupted) return await this.workload.stop({ timeoutMs: 1_000 });
    await this.brokers.restoreAll();
    await this.#observer.untilHealthy({ timeoutMs: REJOIN_MS_MAX, signal });
    await this.workload.stop({ timeoutMs: SETTLE_MS });
    const partitions = await this.#observer.partitions();
    const ends = partitions.map(({ highWatermark }) => highWatermark ?? 0);
    for (const reader of this.#readers) {
      await reader.untilRead(ends, { timeoutMs: STALL_MS_MAX });
    }
  }

  async #readBack() {
    const { say } = this.#options;
    const { signal } = this.#interrupted;
    const { brokers, history, topic } = this;
    const readback = new ReplicaReadback({
      brokers,
      observer: this.#observer,
      history,
      topic,
      signal,
    });
    for (const id of brokers.ids) {
      await readback.read(id);
      this.readFrom.push(id);
      say(`read everything back from broker ${id}`);
    }
  }

  /** What must hold at any time. */
  #watch() {
    const { partition, ms } = this.availability.stalled(performance.now());
    if (ms > STALL_MS_MAX && !this.#failed.signal.aborted && this.endedAtMs === undefined) {
      this.#fail(
        `partition ${partition} has had no acknowledged write for ${seconds(ms)} ` +
          "while a majority of the brokers ran",
      );
    }
    for (const { id, lines } of this.brokers.ownEnds.splice(0)) {
      this.#fail(`broker ${id} ended by itself, saying:\n${lines.join("\n")}`);
    }
    if (this.workload.problem !== undefined && !this.#isSendProblemTold) {
      this.#isSendProblemTold = true;
      this.#fail(this.workload.problem);
    }
    for (const reader of this.#readers) {
      if (reader.failure !== undefined) this.#fail(`a reader failed: ${reader.failure.message}`);
      reader.failure = undefined;
    }
  }

  #fail(sentence) {
    if (this.isInterrupted) return;
    const isFirst = this.problems.length === 0;
    this.problems.push(sentence);
    // Told at once: whoever watches may want to look before the end.
    this.#options.say(`PROBLEM ${sentence}`);
    if (isFirst) this.#failed.abort();
  }

  get #faultSignal() {
    return AbortSignal.any([this.#interrupted.signal, this.#failed.signal]);
  }

  async #attempt(work) {
    try {
      await work();
    } catch (error) {
      // A wait that was cut short is no news.
      if (error.name !== "AbortError") this.#fail(error.message);
    }
  }

  async #close() {
    await Promise.allSettled(this.#readers.map(async (reader) => await reader.stop()));
    await this.#observer.close();
  }
}

function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`;
}
