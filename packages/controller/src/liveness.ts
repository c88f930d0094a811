/**
 * Who is alive: a pure core of the active controller. Heartbeats, ended sessions and broken
 * connections go in; the brokers to fence come out.
 *
 * Three deadlines, by how much is known. A broker that is silent on a standing session has a whole
 * session's time: it may be stalled. One whose session broke has a short grace to come back: a
 * killed process breaks its connections. One that was never heard by this controller has a grace
 * to find it, shorter when its raft connection is down as well.
 */
import type { NodeId } from "@strandline/model";

export interface LivenessOptions {
  readonly sessionMsMax: number;
  readonly reconnectMsMax: number;
  /** For a broker to find a controller that has just become active. */
  readonly discoveryMsMax: number;
  /** After a gap of this length between two ticks, this controller was paused itself. */
  readonly pauseMsMin: number;
}

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #deadlines = new Map<NodeId, { deadlineMs: number; hasSession: boolean }>();
  #tickedAtMs: number;

  constructor(options: LivenessOptions, nowMs: number) {
    this.#options = options;
    this.#tickedAtMs = nowMs;
  }

  /** This controller has become active; `unfenced` are the brokers that the image calls alive. */
  activated(unfenced: readonly NodeId[], lost: ReadonlySet<NodeId>, nowMs: number): void {
    this.#deadlines.clear();
    this.#tickedAtMs = nowMs;
    for (const id of unfenced) {
      const graceMs = lost.has(id) ? this.#options.reconnectMsMax : this.#options.discoveryMsMax;
      this.#deadlines.set(id, { deadlineMs: nowMs + graceMs, hasSession: false });
    }
  }

  heard(id: NodeId, nowMs: number): void {
    this.#deadlines.set(id, { deadlineMs: nowMs + this.#options.sessionMsMax, hasSession: true });
  }

  sessionEnded(id: NodeId, nowMs: number): void {
    const known = this.#deadlines.get(id);
    if (known === undefined) return;
    const deadlineMs = Math.min(known.deadlineMs, nowMs + this.#options.reconnectMsMax);
    this.#deadlines.set(id, { deadlineMs, hasSession: false });
  }

  /** Its raft connection broke: matters only while it has no session that says otherwise. */
  connectionLost(id: NodeId, nowMs: number): void {
    if (this.#deadlines.get(id)?.hasSession === false) this.sessionEnded(id, nowMs);
  }

  /** True while the broker is heard from. */
  isHeard(id: NodeId): boolean {
    return this.#deadlines.get(id)?.hasSession ?? false;
  }

  /** Brokers whose time is up. Each is named once; `heard` brings it back. */
  ticked(nowMs: number): NodeId[] {
    const gapMs = nowMs - this.#tickedAtMs;
    this.#tickedAtMs = nowMs;
    if (gapMs >= this.#options.pauseMsMin) {
      // The silence was this controller's own: heartbeats may wait in its sockets, unread.
      for (const known of this.#deadlines.values()) known.deadlineMs += gapMs;
      return [];
    }
    const expired: NodeId[] = [];
    for (const [id, { deadlineMs }] of this.#deadlines) {
      if (deadlineMs > nowMs) continue;
      this.#deadlines.delete(id);
      expired.push(id);
    }
    return expired;
  }
}
