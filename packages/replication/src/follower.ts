/** The follower's half of one partition's replication. */
import type { NodeId } from "@strandline/model";

export interface FollowerOptions {
  readonly leader: NodeId;
  readonly epoch: number;
  readonly logEndOffset: number;
  readonly lastEpoch: number;
  readonly durableEndOffset: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
}

export type FollowerEvent =
  | { readonly kind: "connected" }
  | { readonly kind: "disconnected" }
  | { readonly kind: "append"; readonly session: number; readonly leaderEpoch: number; readonly baseOffset: number; readonly endOffset: number; readonly highWatermark: number; readonly logStartOffset: number }
  | { readonly kind: "appended"; readonly logEndOffset: number; readonly lastEpoch: number }
  | { readonly kind: "synced"; readonly durableEndOffset: number }
  | { readonly kind: "diverged"; readonly session: number; readonly leaderEpoch: number; readonly epoch: number; readonly endOffset: number }
  | { readonly kind: "truncated"; readonly logEndOffset: number; readonly lastEpoch: number }
  | { readonly kind: "refused"; readonly session: number; readonly leaderEpoch: number; readonly code: string; readonly logStartOffset: number }
  | { readonly kind: "ticked"; readonly nowMs: number };

export type FollowerEffect =
  | { readonly kind: "follow"; readonly session: number; readonly logEndOffset: number; readonly lastEpoch: number }
  | { readonly kind: "append" }
  | { readonly kind: "acknowledge"; readonly session: number; readonly durableEndOffset: number }
  | { readonly kind: "truncate"; readonly toOffset: number }
  | { readonly kind: "truncate-by-epoch"; readonly epoch: number; readonly endOffset: number }
  | { readonly kind: "restart-at"; readonly offset: number }
  | { readonly kind: "advance-high-watermark"; readonly highWatermark: number }
  | { readonly kind: "advance-log-start"; readonly logStartOffset: number }
  | { readonly kind: "wait"; readonly ms: number };

export class Follower {
  readonly #epoch: number;
  #state: "idle" | "following" | "cutting" | "waiting" = "idle";
  #connected = false;
  #session = 0;
  #end: number;
  #lastEpoch: number;
  #durable: number;
  #hw: number;
  #start: number;
  #waits = 0;

  constructor(o: FollowerOptions) {
    this.#epoch = o.epoch;
    this.#end = o.logEndOffset;
    this.#lastEpoch = o.lastEpoch;
    this.#durable = o.durableEndOffset;
    this.#hw = o.highWatermark;
    this.#start = o.logStartOffset;
  }

  step(event: FollowerEvent): readonly FollowerEffect[] {
    switch (event.kind) {
      case "connected": this.#connected = true; return this.#state === "cutting" ? [] : this.#follow();
      case "disconnected": this.#connected = false; if (this.#state !== "cutting") this.#state = "idle"; return [];
      case "append": return this.#append(event);
      case "appended": this.#end = event.logEndOffset; this.#lastEpoch = event.lastEpoch; return [];
      case "synced": this.#durable = event.durableEndOffset; return this.#state === "following" ? [this.#ack()] : [];
      case "diverged":
        if (!this.#isCurrent(event)) return [];
        this.#state = "cutting";
        return [{ kind: "truncate-by-epoch", epoch: event.epoch, endOffset: event.endOffset }];
      case "truncated":
        this.#end = event.logEndOffset; this.#lastEpoch = event.lastEpoch; this.#durable = Math.min(this.#durable, this.#end);
        this.#state = "idle";
        return this.#connected ? this.#follow() : [];
      case "refused":
        if (!this.#isCurrent(event)) return [];
        if (event.code === "OFFSET_OUT_OF_RANGE" && event.logStartOffset > this.#end) {
          this.#state = "cutting";
          return [{ kind: "restart-at", offset: event.logStartOffset }];
        }
        this.#state = "waiting"; this.#waits += 1;
        return [{ kind: "wait", ms: 100 }];
      case "ticked":
        if (this.#state !== "waiting") return [];
        this.#waits += 1;
        if (this.#waits < 3) return [];
        return this.#connected ? this.#follow() : [];
    }
  }

  #follow(): readonly FollowerEffect[] {
    this.#session += 1;
    this.#state = "following";
    this.#waits = 0;
    return [{ kind: "follow", session: this.#session, logEndOffset: this.#end, lastEpoch: this.#lastEpoch }];
  }

  #isCurrent(e: { session: number; leaderEpoch: number }): boolean {
    return this.#state === "following" && e.session === this.#session && e.leaderEpoch === this.#epoch;
  }

  #ack(): FollowerEffect {
    return { kind: "acknowledge", session: this.#session, durableEndOffset: this.#durable };
  }

  #append(event: Extract<FollowerEvent, { kind: "append" }>): readonly FollowerEffect[] {
    if (!this.#isCurrent(event)) return [];
    if (event.baseOffset !== this.#end) return this.#follow();
    const effects: FollowerEffect[] = [];
    if (event.endOffset > event.baseOffset) effects.push({ kind: "append" });
    else effects.push(this.#ack());
    const hw = Math.min(event.highWatermark, event.endOffset);
    if (hw > this.#hw) { this.#hw = hw; effects.push({ kind: "advance-high-watermark", highWatermark: hw }); }
    if (event.logStartOffset > this.#start) { this.#start = event.logStartOffset; effects.push({ kind: "advance-log-start", logStartOffset: event.logStartOffset }); }
    return effects;
  }
}
