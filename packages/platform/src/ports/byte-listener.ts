/**
 * Connections that carry plain bytes: for protocols that cut their own frames. The Node adapter is
 * TCP. A receiver sees the bytes in order, in whatever pieces they arrive.
 */
import type { Listener } from "./transport.js";

export interface ByteConnection {
  /** Address of the peer, without its port. */
  readonly remoteHost: string;
  /** Where the peer reached this process: the address it used, not the one that was bound. */
  readonly localHost: string;
  readonly localPort: number;
  /** Memory for what is received: whatever it holds is overwritten. Needs no `this`. */
  allocate(length: number): Uint8Array;
  /**
   * Queues bytes, in pieces that follow each other and stay unchanged from then on. False when more
   * than a bounded amount waits for the peer: it is queued all the same, and a well-behaved sender
   * stops until `onDrain`. `onTaken`: the pieces are not needed any more; not called when the
   * connection breaks before.
   */
  write(pieces: readonly Uint8Array[], onTaken?: () => void): boolean;
  /** Stops `onData` soon, which stops the peer by flow control. Idempotent. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once; what is queued is lost. `onEnd` still comes. */
  destroy(): void;
}

/** What the owner of a connection is told. `onEnd` is called exactly once, and is the last call. */
export interface ByteReceiver {
  /** The bytes are lent: they are overwritten afterwards, and what is kept of them is a copy. */
  onData(bytes: Uint8Array): void;
  /** The sender may go on after `write` returned false. */
  onDrain(): void;
  /** The peer has gone, or has said that it sends nothing more: nothing can be answered. */
  onEnd(): void;
}

/** Takes a new connection, or refuses it with undefined: it is closed at once then. */
export type OnConnection = (connection: ByteConnection) => ByteReceiver | undefined;

export interface ByteListener extends Listener {
  /** The address that was bound, as the system spells it. */
  readonly host: string;
}

export interface ByteNetwork {
  /** Fails with `TransportError` ("address-in-use") when the port is taken. */
  listen(host: string, port: number, onConnection: OnConnection): Promise<ByteListener>;
}
