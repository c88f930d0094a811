/** Plain TCP as a {@link ByteNetwork}. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type {
  ByteConnection,
  ByteListener,
  ByteNetwork,
  ByteReceiver,
  OnConnection,
} from "../ports/byte-listener.js";
import { TransportError } from "../ports/transport.js";
import { readLent } from "./lent-reads.js";

/** Bytes that wait for a peer before a sender is asked to stop. */
const UNSENT_BYTES_MAX = 256 * 1024;
const IPV4_IN_IPV6 = "::ffff:";

export const nodeByteNetwork: ByteNetwork = {
  async listen(host, port, onConnection) {
    const listener = new TcpListener(onConnection);
    await listener.bind(host, port);
    return listener;
  },
};

class TcpListener implements ByteListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #closing: Promise<void> | undefined;

  constructor(onConnection: OnConnection) {
    const options = { noDelay: true, highWaterMark: UNSENT_BYTES_MAX, pauseOnConnect: true };
    this.#server = createServer(options, (socket) => {
      this.#accept(socket, onConnection);
    });
  }

  get port(): number {
    return this.#address.port;
  }

  get host(): string {
    return this.#address.address;
  }

  async bind(host: string, port: number): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen(port, host, () => {
          this.#server.off("error", reject);
          resolve();
        });
      });
    } catch (error) {
      const isInUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      const message = error instanceof Error ? error.message : String(error);
      throw new TransportError(isInUse ? "address-in-use" : "unreachable", message, {
        cause: error,
      });
    }
    // Of a connection that broke before it was accepted.
    this.#server.on("error", () => undefined);
  }

  async close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
    await this.#closing;
  }

  get #address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  #accept(socket: Socket, onConnection: OnConnection): void {
    // Reported as the end of the connection; without a listener it would end the process.
    socket.on("error", () => undefined);
    // The peer may have gone already: nobody knows who it was then.
    if (socket.remoteAddress === undefined || socket.localAddress === undefined) {
      socket.destroy();
      return;
    }
    const connection = new TcpConnection(socket);
    const receiver = onConnection(connection);
    if (receiver === undefined) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    connection.attach(receiver);
  }
}

class TcpConnection implements ByteConnection {
  readonly remoteHost: string;
  readonly localHost: string;
  readonly localPort: number;
  readonly #socket: Socket;
  #isCorked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteHost = plainAddress(socket.remoteAddress);
    this.localHost = plainAddress(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
  }

  attach(receiver: ByteReceiver): void {
    const socket = this.#socket;
    let hasEnded = false;
    const onEnd = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      receiver.onEnd();
    };
    const onData = (bytes: Uint8Array): void => {
      if (!hasEnded) receiver.onData(bytes);
    };
    if (!readLent(socket, onData)) socket.on("data", onData);
    socket.on("drain", () => {
      if (!hasEnded) receiver.onDrain();
    });
    socket.once("end", onEnd);
    socket.once("close", onEnd);
    socket.resume();
  }

  /** Not zeroed, and a buffer of its own each time. */
  allocate(length: number): Uint8Array {
    return Buffer.allocUnsafeSlow(length);
  }

  write(pieces: readonly Uint8Array[], onTaken?: () => void): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    // What one turn of the event loop answers goes out in one system call.
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    let hasRoom = true;
    const last = pieces.length - 1;
    for (let at = 0; at < last; at += 1) socket.write(pieces[at] as Uint8Array);
    if (last < 0) onTaken?.();
    else hasRoom = socket.write(pieces[last] as Uint8Array, (error) => taken(error, onTaken));
    return hasRoom;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function taken(error: Error | null | undefined, onTaken: (() => void) | undefined): void {
  if (error === null || error === undefined) onTaken?.();
}

/** IPv4 as such, also where the socket listens to both kinds. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith(IPV4_IN_IPV6) ? address.slice(IPV4_IN_IPV6.length) : address;
}
