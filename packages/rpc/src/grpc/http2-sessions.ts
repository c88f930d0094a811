/**
 * The connections of this process's outgoing streams: one HTTP/2 session per address. Made with the
 * first stream, and made anew, the name looked up again, once one was lost; when to try again is up
 * to whoever opens streams.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import net from "node:net";
import {
  CLIENT_WINDOW_BYTES,
  type ConnectionTimings,
  HEADER_LIST_BYTES_MAX,
  SESSION_MEGABYTES_MAX,
} from "./channel-options.js";
import { NameWatch, unbracketed } from "./name-watch.js";

/**
 * How long a peer may take to accept a connection, one lost packet included. A host that has gone, or
 * whose name still leads to its old address, says nothing: the sooner the name is looked up again,
 * the better.
 */
const CONNECT_MS_MAX = 2_000;

/** How long the last resets may take to get out when everything closes. */
const LAST_WORDS_MS = 100;

/** Header values of a stream that no call needs to choose. */
const FIXED_HEADERS = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  [constants.HTTP2_HEADER_TE]: "trailers",
};

export interface SessionStream {
  readonly stream: ClientHttp2Stream;
  /** Whether the connection was ever made: it decides what a failure means. */
  wasConnected(): boolean;
}

interface Entry {
  readonly session: ClientHttp2Session;
  isConnected: boolean;
}

export class Http2Sessions {
  readonly #timings: ConnectionTimings;
  readonly #followsNames: boolean;
  readonly #entries = new Map<string, Entry>();
  #isClosed = false;

  /** `followsNames`: drops a connection whose address is not one of its name's any more. */
  constructor(timings: ConnectionTimings, followsNames: boolean) {
    this.#timings = timings;
    this.#followsNames = followsNames;
  }

  /** Begins a stream. Throws when the sessions were closed, or when `address` is none. */
  request(address: string, path: string): SessionStream {
    if (this.#isClosed) throw new Error("the transport was closed");
    const entry = this.#entries.get(address) ?? this.#add(address);
    const stream = entry.session.request(
      { ...FIXED_HEADERS, [constants.HTTP2_HEADER_PATH]: path },
      { endStream: false },
    );
    return { stream, wasConnected: () => entry.isConnected };
  }

  /** A stream got no answer in time: an attempt to connect that met silence goes on for minutes. */
  noteTimeout(address: string): void {
    const entry = this.#entries.get(address);
    if (entry === undefined || entry.isConnected) return;
    this.#forget(address, entry);
    entry.session.destroy();
  }

  /** Resets what runs, and waits a moment for the resets to get out. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(({ session }) => closed(session)));
  }

  #add(address: string): Entry {
    const session = connect(`http://${address}`, {
      settings: {
        enablePush: false,
        initialWindowSize: CLIENT_WINDOW_BYTES,
        maxHeaderListSize: HEADER_LIST_BYTES_MAX,
      },
      maxSessionMemory: SESSION_MEGABYTES_MAX,
      createConnection: ({ hostname, port }) =>
        dial(unbracketed(hostname), Number(port), CONNECT_MS_MAX),
    });
    const entry: Entry = { session, isConnected: false };
    this.#entries.set(address, entry);
    session.once("connect", () => {
      entry.isConnected = true;
      session.setLocalWindowSize(CLIENT_WINDOW_BYTES);
      this.#keepAlive(session);
      if (this.#followsNames) this.#followName(session, address);
    });
    // Streams are told by their own events; an error that nobody hears would end the process.
    session.on("error", () => this.#forget(address, entry));
    session.once("goaway", () => this.#forget(address, entry));
    session.once("close", () => this.#forget(address, entry));
    return entry;
  }

  #forget(address: string, entry: Entry): void {
    if (this.#entries.get(address) === entry) this.#entries.delete(address);
  }

  #followName(session: ClientHttp2Session, address: string): void {
    const { hostname } = new URL(`http://${address}`);
    const reached = session.socket?.remoteAddress;
    if (reached === undefined) return;
    const watch = new NameWatch(hostname, reached, {
      intervalMs: this.#timings.keepaliveMs,
      onElsewhere: () => session.destroy(new Error(`${hostname} is elsewhere`)),
    });
    session.once("close", () => watch.stop());
  }

  /** A peer that answers no ping within the bound is gone, whatever its socket says. */
  #keepAlive(session: ClientHttp2Session): void {
    const { keepaliveMs, keepaliveTimeoutMs } = this.#timings;
    let overdue: NodeJS.Timeout | undefined;
    const interval = setInterval(() => {
      if (overdue !== undefined || session.destroyed) return;
      overdue = setTimeout(() => session.destroy(), keepaliveTimeoutMs);
      session.ping(() => {
        clearTimeout(overdue);
        overdue = undefined;
      });
    }, keepaliveMs);
    session.once("close", () => {
      clearInterval(interval);
      clearTimeout(overdue);
    });
  }
}

/** Looks the name up, which takes what it takes, and connects, which has a bound. */
function dial(host: string, port: number, timeoutMs: number): net.Socket {
  const socket = net.connect({ host, port, noDelay: true });
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer ??= setTimeout(() => {
      socket.destroy(new Error(`${host}:${port} accepted no connection within ${timeoutMs} ms`));
    }, timeoutMs);
  };
  if (net.isIP(host) === 0) socket.once("lookup", start);
  else start();
  socket.once("connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
  return socket;
}

/** Ends a session: politely first, by force when it lingers. */
function closed(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    if (session.destroyed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => session.destroy(), LAST_WORDS_MS);
    session.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    if (session.connecting) session.destroy();
    else session.close();
  });
}
