/**
 * Drives the raft core. One loop, one order: persist → send → apply → acknowledge.
 *
 * Input (ticks, messages, proposals) may arrive while the loop waits for the disk; the core takes
 * it, and what it causes is in the next round.
 */
import type { Logger, Timer, Timers } from "@strandline/platform";
import type { Entry, RaftMessage, RaftNode, Snapshot } from "@strandline/raft";
import type { RaftStorage } from "./raft-storage.js";

export interface RaftDriverOwner {
  send(message: RaftMessage): void;
  /** Committed entries, in order, after they are durable here. */
  onCommitted(entries: readonly Entry[]): void;
  onSnapshot(snapshot: Snapshot): void;
  /** Everything of one round is applied; role and leader are those of now. */
  onRound(): void;
  /** Raft can no longer be kept durable: this node must stop at once. */
  onFailed(error: Error): void;
}

export class RaftDriver {
  readonly node: RaftNode;
  readonly #storage: RaftStorage;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #tickMs: number;
  readonly #owner: RaftDriverOwner;
  #tick: Timer | undefined;
  #isDriving = false;
  #isClosed = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(
    ports: { timers: Timers; logger: Logger },
    parts: { node: RaftNode; storage: RaftStorage; tickMs: number },
    owner: RaftDriverOwner,
  ) {
    this.#timers = ports.timers;
    this.#logger = ports.logger;
    this.node = parts.node;
    this.#storage = parts.storage;
    this.#tickMs = parts.tickMs;
    this.#owner = owner;
  }

  start(): void {
    this.#schedule();
    this.drive();
  }

  step(message: RaftMessage): void {
    if (this.#isClosed) return;
    this.node.step(message);
    this.drive();
  }

  peerLost(id: number): void {
    if (this.#isClosed) return;
    this.node.peerLost(id);
    this.drive();
  }

  campaign(): void {
    if (this.#isClosed) return;
    this.node.campaign();
    this.drive();
  }

  transferLeadership(to: number): void {
    if (this.#isClosed) return;
    this.node.transferLeadership(to);
    this.drive();
  }

  propose(data: Uint8Array): ReturnType<RaftNode["propose"]> {
    if (this.#isClosed) return "not-leader";
    const proposed = this.node.propose(data);
    this.drive();
    return proposed;
  }

  /** Replaces the log up to an applied index by a snapshot. */
  async compact(index: number, data: Uint8Array): Promise<void> {
    const snapshot = this.node.snapshotAt(index, data);
    if (snapshot === undefined) return;
    await this.#storage.compact(snapshot);
    if (!this.#isClosed) this.node.compact(snapshot);
  }

  /** Performs what the core has ready, unless that is under way already. */
  drive(): void {
    if (this.#isDriving || this.#isClosed || !this.node.hasReady()) return;
    this.#isDriving = true;
    this.#idle = this.#run().then(
      () => {
        this.#isDriving = false;
        // What came in since the loop looked last would wait for the next tick.
        this.drive();
      },
      (error: unknown) => {
        // Whether the vote or the entry is durable is unknown now: no further word may leave.
        this.#isClosed = true;
        this.#tick?.cancel();
        this.#logger.error({ error: String(error) }, "raft failed; this controller stops");
        this.#owner.onFailed(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tick?.cancel();
    await this.#idle;
  }

  async #run(): Promise<void> {
    const { node } = this;
    while (node.hasReady() && !this.#isClosed) {
      const ready = node.ready();
      await this.#storage.save(ready);
      if (this.#isClosed) return;
      for (const message of ready.messages) this.#owner.send(message);
      if (ready.snapshot !== undefined) this.#owner.onSnapshot(ready.snapshot);
      if (ready.committed.length > 0) this.#owner.onCommitted(ready.committed);
      node.advance(ready);
      this.#owner.onRound();
    }
  }

  #schedule(): void {
    this.#tick = this.#timers.after(this.#tickMs, () => {
      if (this.#isClosed) return;
      this.#schedule();
      this.node.tick();
      this.drive();
    });
  }
}
