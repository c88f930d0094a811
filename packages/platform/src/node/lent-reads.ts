/**
 * Reads a socket into one piece of memory that all sockets share, where Node otherwise makes 64 KiB
 * for each read: under load these are most of what its garbage collector has to do with.
 *
 * Node offers this (`onread`) only for connections that a process makes itself. An accepted socket
 * has the same fields, which its own code reads; where they are missing or named otherwise, the
 * socket is read as any other.
 */
import type { Socket } from "node:net";

const READ_BYTES = 256 * 1024;

/** Filled by one read, and read by its callback, before there is another. */
let shared: Buffer | undefined;

interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

/**
 * Has each read call back with lent bytes, instead of the event "data". False where that cannot be:
 * nothing has changed then. The socket must not have been read yet.
 */
export function readLent(socket: Socket, onData: (bytes: Uint8Array) => void): boolean {
  const fields = socket as unknown as Record<string | symbol, unknown>;
  const handle = fields["_handle"] as Partial<Handle> | null | undefined;
  const symbols = Object.getOwnPropertySymbols(socket);
  const [buffer, callback] = ["kBuffer", "kBufferCb"].map((name) =>
    symbols.find(({ description }) => description === name),
  );
  if (buffer === undefined || callback === undefined) return false;
  if (typeof handle?.useUserBuffer !== "function") return false;
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  const memory = shared;
  handle.useUserBuffer(memory);
  fields[buffer] = memory;
  fields[callback] = (length: number): boolean => {
    onData(memory.subarray(0, length));
    return true;
  };
  return true;
}
