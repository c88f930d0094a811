/**
 * How far the voters have come, as the active controller sees it. "Caught up at" is the last moment
 * at which a voter is known to have had all that the controller had then.
 *
 * Times are wall-clock milliseconds, because people read them; nothing is decided by them.
 */
export interface WatchedPeer {
  readonly id: number;
  readonly matchIndex: number;
  readonly silentTicks: number;
}

export interface WatchedLog {
  readonly peers: readonly WatchedPeer[];
  readonly lastIndex: number;
}

/** Offsets are exclusive ends; -1 stands for a time or an offset that is not known. */
export interface ReplicaStanding {
  readonly logEndOffset: number;
  readonly lastFetchMs: number;
  readonly lastCaughtUpMs: number;
}

export class QuorumWatch {
  readonly #tickMs: number;
  readonly #caughtUpMs = new Map<number, number>();
  /** End of the log when it was looked at last. */
  #lastIndex = 0;
  #lastMs = -1;

  /** `tickMs` is how long a tick of the raft node is. */
  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** This controller leads in another term: what it knew of the others was of another log. */
  reset(): void {
    this.#caughtUpMs.clear();
    this.#lastMs = -1;
  }

  /** To be called again and again, while this controller leads. */
  observe(log: WatchedLog, nowMs: number): void {
    for (const { id, matchIndex } of log.peers) {
      if (matchIndex >= log.lastIndex) this.#caughtUpMs.set(id, nowMs);
      else if (this.#lastMs !== -1 && matchIndex >= this.#lastIndex) {
        this.#caughtUpMs.set(id, this.#lastMs);
      }
    }
    this.#lastIndex = log.lastIndex;
    this.#lastMs = nowMs;
  }

  /** Of another voter; undefined when the log knows none of that id. */
  standingOf(id: number, log: WatchedLog, nowMs: number): ReplicaStanding | undefined {
    const peer = log.peers.find((each) => each.id === id);
    if (peer === undefined) return undefined;
    const isHeard = peer.matchIndex > 0;
    return {
      logEndOffset: peer.matchIndex,
      lastFetchMs: isHeard ? nowMs - peer.silentTicks * this.#tickMs : -1,
      lastCaughtUpMs: this.#caughtUpMs.get(id) ?? -1,
    };
  }
}
