/** How the network between the nodes of a world behaves when nothing is broken. */
import type { RangeUs } from "../disk/disk-settings.js";

/** `[min, max]`, both inclusive. */
export type RangeMs = readonly [minMs: number, maxMs: number];

export interface NetworkSettings {
  /** One way, between two machines. */
  latencyUs: RangeUs;
  /** Share of messages that are delayed by `delayUs` on top. */
  delayChance: number;
  delayUs: RangeUs;
  /** What large messages pay for. */
  bytesPerUs: number;
  /** How long both ends trust a silent connection. */
  keepaliveMs: RangeMs;
  /** How long a connection attempt that gets no answer goes on. */
  connectMs: RangeMs;
  /** Bytes that may wait in one direction of a stream before `send` returns false. */
  streamWindowBytes: number;
  /** Bytes that a sender which does not heed the window may have waiting before it is a finding. */
  streamQueueBytesMax: number;
}

/** One data centre. Keepalive: a ping after 10 s, 5 s to answer it. */
export const NETWORK_DEFAULTS: Readonly<NetworkSettings> = {
  latencyUs: [50, 400],
  delayChance: 0.01,
  delayUs: [1_000, 20_000],
  bytesPerUs: 1_000,
  keepaliveMs: [10_000, 15_000],
  connectMs: [3_000, 10_000],
  streamWindowBytes: 1024 * 1024,
  streamQueueBytesMax: 256 * 1024 * 1024,
};
