/**
 * What grpc-js offers no option for, reached through its private fields. Every access is checked:
 * with another version of the library a setting stays at its default, nothing breaks, and the test
 * beside this file fails.
 */
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream, Settings } from "node:http2";
import type { Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";

export interface Http2Bounds {
  /** Bytes a peer may send on one stream, and on the whole connection, before they are read. */
  readonly windowBytes: number;
  readonly headerListBytesMax: number;
}

/** Before the server is bound: settings that a connection begins with. */
export function boundSessions(server: Server, bounds: Http2Bounds): void {
  const options: unknown = Reflect.get(server, "commonServerOptions");
  if (!isObject(options)) return;
  const settings = Reflect.get(options, "settings") as Settings | undefined;
  Reflect.set(options, "settings", {
    ...settings,
    initialWindowSize: bounds.windowBytes,
    maxHeaderListSize: bounds.headerListBytesMax,
  } satisfies Settings);
}

/**
 * After the server was bound: the window of each connection as a whole. Returns the sockets that
 * are open, kept up to date.
 */
export function followConnections(server: Server, windowBytes: number): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    http2Server.on("session", (session: ServerHttp2Session) => {
      session.setLocalWindowSize(windowBytes);
    });
  }
  return sockets;
}

/** The HTTP/2 stream below a call: the only way to end one whose data nobody reads. */
export function http2StreamOf(call: object): ServerHttp2Stream | undefined {
  const stream: unknown = Reflect.get(call, "stream");
  if (!isObject(stream) || typeof Reflect.get(stream, "close") !== "function") return undefined;
  return stream as ServerHttp2Stream;
}

/**
 * Takes the bytes of a call's messages away from grpc-js, which goes on with everything else: headers,
 * deadline, status. Undefined when that is not possible, or when the caller compresses them.
 */
export function takeMessages(call: object): ServerHttp2Stream | undefined {
  const stream = http2StreamOf(call);
  if (stream === undefined || Reflect.get(call, "incomingEncoding") !== "identity")
    return undefined;
  if (stream.listenerCount("data") !== 1 || stream.listenerCount("end") !== 1) return undefined;
  stream.removeAllListeners("data");
  stream.removeAllListeners("end");
  return stream;
}

function http2ServersOf(server: Server): readonly Http2Server[] {
  const servers: unknown = Reflect.get(server, "http2Servers");
  return servers instanceof Map ? ([...servers.keys()] as Http2Server[]) : [];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
