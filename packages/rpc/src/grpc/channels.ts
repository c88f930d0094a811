/** One channel per address, for unary calls. */
import net from "node:net";
import { Channel, ChannelCredentials, connectivityState, status } from "@grpc/grpc-js";
import { type ConnectionTimings, clientChannelOptions } from "./channel-options.js";
import { NameWatch, unbracketed } from "./name-watch.js";

/** The part of grpc-js under its client classes: one call, messages as bytes, no Node streams. */
export type RawCall = ReturnType<Channel["createCall"]>;

interface Entry {
  readonly address: string;
  readonly channel: Channel;
  /** Since when calls found it without a connection; undefined while it has one. */
  notReadySinceMs: number | undefined;
  /** Whether it was ever seen with a connection. */
  wasReady: boolean;
  /** Who answered, and the watch on whether the name leads there still. */
  peer: { readonly address: string; readonly watch: NameWatch } | undefined;
}

/**
 * Cancels a call for good. grpc-js forgets a cancel that comes while it still prepares the call,
 * starts it nevertheless, and nothing would ever end it; a second one, later, does.
 */
export function cancelCall(call: RawCall, code = status.CANCELLED, details = "aborted"): void {
  call.cancelWithStatus(code, details);
  setImmediate(() => call.cancelWithStatus(code, details));
}

/** How long a channel may try one connection before a timed-out call gives it up. */
const CONNECT_MS_MAX = 1000;

export class Channels {
  readonly #timings: ConnectionTimings;
  readonly #followsNames: boolean;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Map<RawCall, Entry>();
  #isClosed = false;

  /** `followsNames`: drops a channel whose peer is not at one of its name's addresses any more. */
  constructor(timings: ConnectionTimings, followsNames: boolean) {
    this.#timings = timings;
    this.#followsNames = followsNames;
  }

  /** Throws when the channels were closed, or when `address` is none. */
  createCall(address: string, path: string, deadline: Date | number): RawCall {
    if (this.#isClosed) throw new Error("Channel has been closed");
    let entry = this.#entries.get(address) ?? this.#add(address);
    if (entry.wasReady && !noteState(entry)) {
      // It would go back to the address it had, at least while its name is not known; by then
      // another node may live there. A new one looks the name up first.
      this.#drop(entry);
      entry = this.#add(address);
    }
    if (!noteState(entry)) entry.notReadySinceMs ??= performance.now();
    const call = entry.channel.createCall(path, deadline, null, null, null);
    this.#running.set(call, entry);
    return call;
  }

  /** The call has its status. */
  noteEnd(call: RawCall): void {
    const entry = this.#running.get(call);
    this.#running.delete(call);
    if (entry === undefined) return;
    noteState(entry);
    if (this.#followsNames) this.#followName(entry, call);
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
    this.#drop(entry);
  }

  /** Ends what runs: closing a channel alone would let its calls go on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of this.#running.keys()) cancelCall(call);
    // After the second cancel, which needs the connection.
    await new Promise((resolve) => setImmediate(resolve));
    for (const entry of [...this.#entries.values()]) this.#drop(entry);
  }

  /** The library tells of a connection only through a call that went over it. */
  #followName(entry: Entry, call: RawCall): void {
    const reached = hostOf(call.getPeer());
    if (this.#entries.get(entry.address) !== entry || reached === entry.peer?.address) return;
    // Without a connection the call names its target.
    if (net.isIP(reached) === 0) return;
    entry.peer?.watch.stop();
    const watch = new NameWatch(hostOf(entry.address), reached, {
      intervalMs: this.#timings.keepaliveMs,
      onElsewhere: () => this.#leave(entry),
    });
    entry.peer = { address: reached, watch };
  }

  /** Whoever is at the other end is not whom the calls are meant for. */
  #leave(entry: Entry): void {
    for (const [call, each] of this.#running) {
      if (each === entry) cancelCall(call, status.UNAVAILABLE, `${entry.address} is elsewhere`);
    }
    this.#drop(entry);
  }

  /** What runs goes on. */
  #drop(entry: Entry): void {
    if (this.#entries.get(entry.address) === entry) this.#entries.delete(entry.address);
    entry.peer?.watch.stop();
    entry.channel.close();
  }

  #add(address: string): Entry {
    const options = clientChannelOptions(this.#timings);
    const channel = new Channel(address, ChannelCredentials.createInsecure(), options);
    const entry: Entry = {
      address,
      channel,
      notReadySinceMs: undefined,
      wasReady: false,
      peer: undefined,
    };
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

/** "name:port" without the port, "[::1]:port" without the brackets too. */
function hostOf(hostPort: string): string {
  return unbracketed(hostPort.slice(0, hostPort.lastIndexOf(":")));
}
