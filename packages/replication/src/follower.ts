/**
 * The follower's half of one partition's replication, within one leadership of another broker.
 *
 * Pure and synchronous: events in, effects out. The partition that owns it keeps the log, checks
 * the batches it is offered, and talks to the leader over one ordered stream.
 *
 * Everything goes in sessions. A session begins with `follow`, which says where the log ends and
 * under which epoch. The leader accepts it by its first `append`, which proves the log a prefix of
 * its own; or names the point where the two part, and the log is cut there, by leader epoch and
 * never by high watermark; or refuses. Until it has accepted, nothing here counts and nothing is
 * acknowledged: what the log holds above the parting is not what the leader holds there.
 */
import { assert, type NodeId, unreachable } from "@strandline/model";

const WAIT_MS_MIN = 100;
const WAIT_MS_MAX = 1_000;

export interface FollowerOptions {
  readonly leader: NodeId;
  readonly epoch: number;
  readonly logEndOffset: number;
  /** Leader epoch of the last record; -1 when none is known. */
  readonly lastEpoch: number;
  readonly durableEndOffset: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
}

/** End offsets are exclusive. Messages of other sessions and leader epochs are ignored. */
export type FollowerEvent =
  | { readonly kind: "connected" }
  | { readonly kind: "disconnected" }
  | {
      /** The leader offers batches, whole and checked; or only newer watermarks. */
      readonly kind: "append";
      readonly session: number;
      readonly leaderEpoch: number;
      readonly baseOffset: number;
      /** `baseOffset` when there are no batches. */
      readonly endOffset: number;
      readonly highWatermark: number;
      readonly logStartOffset: number;
    }
  | {
      /** What `append` accepted is in the log, durable or not. */
      readonly kind: "appended";
      readonly logEndOffset: number;
      readonly lastEpoch: number;
    }
  | { readonly kind: "synced"; readonly durableEndOffset: number }
  | {
      /** The log is no prefix of the leader's: there, `epoch` and all before it end there. */
      readonly kind: "diverged";
      readonly session: number;
      readonly leaderEpoch: number;
      readonly epoch: number;
      readonly endOffset: number;
    }
  | {
      /** A cut is done, durably: the answer to all three effects that cut. */
      readonly kind: "truncated";
      readonly logEndOffset: number;
      readonly lastEpoch: number;
    }
  | {
      /** By the leader; or by our own check of what it sent. */
      readonly kind: "refused";
      readonly session: number;
      readonly leaderEpoch: number;
      readonly code: string;
      readonly logStartOffset: number;
    }
  | { readonly kind: "ticked"; readonly nowMs: number };

export type FollowerEffect =
  | {
      readonly kind: "follow";
      readonly session: number;
      readonly logEndOffset: number;
      readonly lastEpoch: number;
    }
  /** Take the batches just offered; `appended` follows before anything else. */
  | { readonly kind: "append" }
  | { readonly kind: "acknowledge"; readonly session: number; readonly durableEndOffset: number }
  | { readonly kind: "truncate"; readonly toOffset: number }
  /** Cut to where `epoch` and all before it end, here or there, whichever is lower. */
  | { readonly kind: "truncate-by-epoch"; readonly epoch: number; readonly endOffset: number }
  /** Drop everything; the log begins and ends there. */
  | { readonly kind: "restart-at"; readonly offset: number }
  | { readonly kind: "advance-high-watermark"; readonly highWatermark: number }
  | { readonly kind: "advance-log-start"; readonly logStartOffset: number }
  /** Send `ticked` at once, and again until the time is over: the first one begins it. */
  | { readonly kind: "wait"; readonly ms: number };

type Append = Extract<FollowerEvent, { kind: "append" }>;
type Truncated = Extract<FollowerEvent, { kind: "truncated" }>;
type Refused = Extract<FollowerEvent, { kind: "refused" }>;
type Diverged = Extract<FollowerEvent, { kind: "diverged" }>;

/**
 * idle: not connected. asking: `follow` is sent and not answered. following: accepted.
 * cutting: the log's end moves. waiting: refused, and asking again later.
 */
type State = "idle" | "asking" | "following" | "cutting" | "waiting";

export class Follower {
  readonly leader: NodeId;
  readonly #epoch: number;
  #state: State = "idle";
  #isConnected = false;
  #session = 0;
  #logEndOffset: number;
  #lastEpoch: number;
  #durableEndOffset: number;
  #highWatermark: number;
  #logStartOffset: number;
  /** Where a wholly replaced log is to begin; undefined while any other cut runs. */
  #restartOffset: number | undefined;
  /** Refusals since a session last went beyond its first message. */
  #refusalCount = 0;
  #waitMs = 0;
  /** When to ask again; undefined until a tick tells the time. */
  #resumeAtMs: number | undefined;

  constructor(options: FollowerOptions) {
    assert(options.durableEndOffset <= options.logEndOffset, "only what is appended is durable");
    this.leader = options.leader;
    this.#epoch = options.epoch;
    this.#logEndOffset = options.logEndOffset;
    this.#lastEpoch = options.lastEpoch;
    this.#durableEndOffset = options.durableEndOffset;
    this.#highWatermark = Math.min(options.highWatermark, options.logEndOffset);
    this.#logStartOffset = options.logStartOffset;
  }

  /** Exclusive; never above the own log end. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** True while ticks decide nothing: it needs them only while it waits. */
  get isQuiet(): boolean {
    return this.#state !== "waiting";
  }

  step(event: FollowerEvent): readonly FollowerEffect[] {
    switch (event.kind) {
      case "connected":
        this.#isConnected = true;
        return this.#state === "cutting" ? [] : this.#follow();
      case "disconnected":
        this.#isConnected = false;
        if (this.#state !== "cutting") this.#state = "idle";
        return [];
      case "append":
        return this.#isCurrent(event) ? this.#offered(event) : [];
      case "appended":
        assert(event.logEndOffset === this.#logEndOffset, "the log took what was offered, wholly");
        this.#lastEpoch = event.lastEpoch;
        return [];
      case "synced":
        return this.#synced(event.durableEndOffset);
      case "diverged":
        return this.#isCurrent(event) ? this.#diverged(event) : [];
      case "truncated":
        return this.#truncated(event);
      case "refused":
        return this.#isCurrent(event) ? this.#refused(event) : [];
      case "ticked":
        return this.#ticked(event.nowMs);
      default:
        return unreachable(event);
    }
  }

  #follow(): readonly FollowerEffect[] {
    assert(this.#state !== "cutting", "the log's end is not known while it is cut");
    if (!this.#isConnected) {
      this.#state = "idle";
      return [];
    }
    this.#state = "asking";
    this.#session += 1;
    return [
      {
        kind: "follow",
        session: this.#session,
        logEndOffset: this.#logEndOffset,
        lastEpoch: this.#lastEpoch,
      },
    ];
  }

  #offered(event: Append): readonly FollowerEffect[] {
    const { baseOffset, endOffset } = event;
    assert(endOffset >= baseOffset, "batches end after they begin");
    // A gap, or a repetition. Asking again cures it, but not in a loop with no pause.
    if (baseOffset !== this.#logEndOffset) return this.#wait();
    // What is missing here is deleted there, and so is all that was offered.
    if (event.logStartOffset > endOffset) return this.#restartAt(event.logStartOffset);
    if (this.#isUnproven(event)) return this.#restartAt(event.logStartOffset);
    if (this.#state === "following") this.#refusalCount = 0;
    const isAccepted = this.#state === "asking";
    this.#state = "following";
    const effects: FollowerEffect[] = [];
    if (endOffset > baseOffset) {
      this.#logEndOffset = endOffset;
      effects.push({ kind: "append" });
    }
    // Later, each sync is acknowledged; a newer watermark alone has no answer worth a message.
    if (isAccepted) effects.push(this.#acknowledgement());
    effects.push(...this.#observeWatermarks(event));
    return effects;
  }

  /**
   * The leader deleted all that it could compare our log with: what we hold may be of a history
   * that was never committed. It is deleted there, so it goes here, before it can come to light.
   */
  #isUnproven(event: Append): boolean {
    const isEmpty = this.#logStartOffset >= this.#logEndOffset;
    return this.#state === "asking" && !isEmpty && event.logStartOffset === this.#logEndOffset;
  }

  #observeWatermarks(event: Append): readonly FollowerEffect[] {
    const effects: FollowerEffect[] = [];
    // The leader's may lie beyond what we have yet.
    const highWatermark = Math.min(event.highWatermark, this.#logEndOffset);
    if (highWatermark > this.#highWatermark) {
      this.#highWatermark = highWatermark;
      effects.push({ kind: "advance-high-watermark", highWatermark });
    }
    const { logStartOffset } = event;
    if (logStartOffset > this.#logStartOffset) {
      this.#logStartOffset = logStartOffset;
      effects.push({ kind: "advance-log-start", logStartOffset });
    }
    return effects;
  }

  #synced(durableEndOffset: number): readonly FollowerEffect[] {
    // While the log is cut, syncs still report its old end.
    this.#durableEndOffset = Math.min(durableEndOffset, this.#logEndOffset);
    return this.#state === "following" ? [this.#acknowledgement()] : [];
  }

  #diverged({ epoch, endOffset }: Diverged): readonly FollowerEffect[] {
    this.#state = "cutting";
    this.#restartOffset = undefined;
    return [{ kind: "truncate-by-epoch", epoch, endOffset }];
  }

  #restartAt(offset: number): readonly FollowerEffect[] {
    assert(offset >= this.#logEndOffset, "only a log that is wholly deleted is replaced");
    this.#state = "cutting";
    this.#restartOffset = offset;
    return [{ kind: "restart-at", offset }];
  }

  #truncated(event: Truncated): readonly FollowerEffect[] {
    assert(this.#state === "cutting", "a log is cut only when this core asks for it");
    const isStuck =
      this.#restartOffset === undefined &&
      event.logEndOffset === this.#logEndOffset &&
      event.lastEpoch === this.#lastEpoch;
    if (this.#restartOffset === undefined) {
      assert(event.logEndOffset <= this.#logEndOffset, "a cut makes no log longer");
      this.#durableEndOffset = Math.min(this.#durableEndOffset, event.logEndOffset);
    } else {
      assert(event.logEndOffset === this.#restartOffset, "a replaced log begins where it was told");
      // It is empty, so all of it is durable. No sync will say so before the next batch.
      this.#durableEndOffset = event.logEndOffset;
      this.#logStartOffset = event.logEndOffset;
    }
    this.#logEndOffset = event.logEndOffset;
    this.#lastEpoch = event.lastEpoch;
    // Only an unclean election cuts below it.
    this.#highWatermark = Math.min(this.#highWatermark, event.logEndOffset);
    this.#restartOffset = undefined;
    this.#state = "idle";
    // Nothing left to cut, and still no prefix: asking again now would run in a circle.
    return isStuck ? this.#wait() : this.#follow();
  }

  #refused({ code, logStartOffset }: Refused): readonly FollowerEffect[] {
    if (code === "OFFSET_OUT_OF_RANGE" && logStartOffset > this.#logEndOffset) {
      return this.#restartAt(logStartOffset);
    }
    // Whatever else it is, either the leader or the metadata will have moved on in a while.
    return this.#wait();
  }

  #wait(): readonly FollowerEffect[] {
    if (!this.#isConnected) return [];
    this.#state = "waiting";
    this.#waitMs = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(this.#refusalCount, 10));
    this.#refusalCount += 1;
    this.#resumeAtMs = undefined;
    return [{ kind: "wait", ms: this.#waitMs }];
  }

  #ticked(nowMs: number): readonly FollowerEffect[] {
    if (this.#state !== "waiting") return [];
    this.#resumeAtMs ??= nowMs + this.#waitMs;
    return nowMs >= this.#resumeAtMs ? this.#follow() : [];
  }

  /** Answers to an earlier `follow`, or of another leadership, are about another log. */
  #isCurrent(message: { readonly session: number; readonly leaderEpoch: number }): boolean {
    const isOpen = this.#state === "asking" || this.#state === "following";
    return isOpen && message.session === this.#session && message.leaderEpoch === this.#epoch;
  }

  #acknowledgement(): FollowerEffect {
    assert(this.#state === "following", "only an accepted session acknowledges");
    assert(this.#durableEndOffset <= this.#logEndOffset, "only what is appended is durable");
    return {
      kind: "acknowledge",
      session: this.#session,
      durableEndOffset: this.#durableEndOffset,
    };
  }
}
