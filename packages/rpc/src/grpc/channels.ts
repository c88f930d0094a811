/** One channel per address, shared by calls and streams. */
import { Channel, ChannelCredentials, connectivityState, status } from "@grpc/grpc-js";
import { type ConnectionTimings, clientChannelOptions } from "./channel-options.js";

/** The part of grpc-js under its client classes: one call, messages as bytes, no Node streams. */
export type RawCall = ReturnType<Channel["createCall"]>;

interface Entry {
  readonly channel: Channel;
  /** Since when calls found it without a connection; undefined while it has one. */
  notReadySinceMs: number | undefined;
  /** Whether it was ever seen with a connection. */
  wasReady: boolean;
}

/**
 * Cancels a call for good. grpc-js forgets a cancel that comes while it still prepares the call,
 * starts it nevertheless, and nothing would ever end it; a second one, later, does.
 */
export function cancelCall(call: RawCall): void {
  call.cancelWithStatus(status.CANCELLED, "aborted");
  setImmediate(() => call.cancelWithStatus(status.CANCELLED, "aborted"));
}

/** How long a channel may try one connection before a timed-out call gives it up. */
const CONNECT_MS_MAX = 1000;

export class Channels {
  readonly #timings: ConnectionTimings;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Map<RawCall, Entry>();
  #isClosed = false;

  constructor(timings: ConnectionTimings) {
    this.#timings = timings;
  }

  /** Throws when the channels were closed, or when `address` is none. */
  createCall(address: string, path: string, deadline: Date | number): RawCall {
    if (this.#isClosed) throw new Error("Channel has been closed");
    let entry = this.#entries.get(address) ?? this.#add(address);
    if (entry.wasReady && !noteState(entry)) entry = this.#replace(address, entry);
    if (!noteState(entry)) entry.notReadySinceMs ??= performance.now();
    const call = entry.channel.createCall(path, deadline, null, null, null);
    this.#running.set(call, entry);
    return call;
  }

  /** The call has its status. */
  noteEnd(call: RawCall): void {
    const entry = this.#running.get(call);
    if (entry !== undefined) noteState(entry);
    this.#running.delete(call);
  }

  /**
   * A call got no answer in time. A connection attempt that met silence goes on for minutes, at
   * ever longer intervals; when the network is back, a fresh attempt is faster.
   */
  noteTimeout(address: string): void {
    const entry = this.#entries.get(address);
    if (entry === undefined) return;
    const state = entry.channel.getConnectivityState(false);
    const sinceMs = entry.notReadySinceMs;
    if (state === connectivityState.READY || sinceMs === undefined) return;
    if (performance.now() - sinceMs < CONNECT_MS_MAX) return;
    this.#entries.delete(address);
    entry.channel.close();
  }

  /** Ends what runs: closing a channel alone would let its calls go on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of this.#running.keys()) cancelCall(call);
    const channels = [...this.#entries.values()].map((entry) => entry.channel);
    this.#entries.clear();
    // After the second cancel, which needs the connection.
    await new Promise((resolve) => setImmediate(resolve));
    for (const channel of channels) channel.close();
  }

  /**
   * A channel that lost its connection goes back to the address it had, at least while its name is
   * not known; by then another node may live there. A new one looks the name up first.
   */
  #replace(address: string, lost: Entry): Entry {
    lost.channel.close();
    return this.#add(address);
  }

  #add(address: string): Entry {
    const options = clientChannelOptions(this.#timings);
    const channel = new Channel(address, ChannelCredentials.createInsecure(), options);
    const entry = { channel, notReadySinceMs: undefined, wasReady: false };
    this.#entries.set(address, entry);
    return entry;
  }
}

/** Whether the channel has a connection now. */
function noteState(entry: Entry): boolean {
  const isReady = entry.channel.getConnectivityState(false) === connectivityState.READY;
  if (isReady) {
    entry.notReadySinceMs = undefined;
    entry.wasReady = true;
  }
  return isReady;
}
