/** What an adapter of the Transport port brings to the suite: peers, and a way to let time pass. */
import type { Listener, RpcRoute, Transport } from "@strandline/platform";

/** A process that serves routes. */
export interface ServedPeer {
  /** Where callers reach it: "host:port". */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly listener: Listener;
  /** Ends as a killed process does: connections break, nothing is said, the port is free. */
  vanish(): void;
}

export interface TransportWorld {
  /** A transport of its own, as each process has one. */
  transport(): Transport;
  /** Serves routes in a peer of its own, on a port that it had before or on any (0). */
  serve(routes: readonly RpcRoute[], port?: number): Promise<ServedPeer>;
  /** Lets time pass until the promise is settled. */
  settle<Value>(promise: Promise<Value>): Promise<Value>;
  /** Lets time pass until the condition holds. Throws when that takes more than `withinMs`. */
  until(condition: () => boolean, withinMs: number): Promise<void>;
  /** Lets that much time pass. */
  pass(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes a fresh world for each test. */
export type OpenTransportWorld = () => Promise<TransportWorld>;
