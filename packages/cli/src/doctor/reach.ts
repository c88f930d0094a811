/** Whether an address leads anywhere: its name resolves, and somebody takes the connection. */
import { lookup } from "node:dns/promises";
import { connect, createServer, type Socket } from "node:net";
import type { HostPort } from "@strandline/server";

/** Why an address leads nowhere. */
export interface Unreached {
  readonly kind: "unresolved" | "refused" | "silent";
  /** Ends the sentence "<address> …". */
  readonly reason: string;
}

/** An open connection, or why there is none. Whoever asks closes it. */
export async function dial(
  address: HostPort,
  timeoutMs: number,
): Promise<{ readonly kind: "open"; readonly socket: Socket } | Unreached> {
  try {
    await lookup(address.host);
  } catch {
    return { kind: "unresolved", reason: "does not resolve to an address" };
  }
  const socket = connect({ host: address.host, port: address.port });
  return await new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy();
      resolve({ kind: "silent", reason: `does not answer within ${timeoutMs / 1_000} s` });
    }, timeoutMs);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve({ kind: "open", socket });
    });
    // Stays: an error of an open connection that nobody listens to would end the process.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ kind: "refused", reason: reasonOf(error) });
    });
  });
}

/** Undefined when somebody takes connections there. */
export async function unreached(
  address: HostPort,
  timeoutMs: number,
): Promise<Unreached | undefined> {
  const dialled = await dial(address, timeoutMs);
  if (dialled.kind !== "open") return dialled;
  dialled.socket.destroy();
  return undefined;
}

/** Why nobody can listen there; undefined when one can. */
export async function bindProblem(address: HostPort): Promise<string | undefined> {
  if (address.port === 0) return undefined;
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve(BIND_REASONS[error.code ?? ""] ?? error.message);
    });
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.close(() => resolve(undefined));
    });
  });
}

export const IN_USE = "is in use";

const BIND_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: IN_USE,
  EADDRNOTAVAIL: "is no address of this machine",
  EACCES: "is not allowed to this user",
  ENOTFOUND: "does not resolve",
  EAI_AGAIN: "does not resolve",
};

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "refuses the connection: nothing listens there";
  if (error.code === "EHOSTUNREACH" || error.code === "ENETUNREACH") {
    return "is in a network that cannot be reached from here";
  }
  return `cannot be reached: ${error.message || String(error.code)}`;
}

/** Where to dial what is bound: "every interface" includes this one. */
export function dialable(address: HostPort): HostPort {
  if (address.host === "0.0.0.0" || address.host === "") return { ...address, host: "127.0.0.1" };
  return address.host === "::" ? { ...address, host: "::1" } : address;
}
