import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { ByteConnection, ByteListener } from "../ports/byte-listener.js";
import { nodeByteNetwork } from "./byte-network.js";

const HOST = "127.0.0.1";

interface Accepted {
  readonly connection: ByteConnection;
  readonly received: Buffer[];
  drains: number;
  ends: number;
}

describe("nodeByteNetwork", () => {
  const sockets: Socket[] = [];
  const listeners: ByteListener[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(listeners.splice(0).map(async (listener) => await listener.close()));
  });

  async function listen(port = 0): Promise<{ listener: ByteListener; accepted: Accepted[] }> {
    const accepted: Accepted[] = [];
    const listener = await nodeByteNetwork.listen(HOST, port, (connection) => {
      const one: Accepted = { connection, received: [], drains: 0, ends: 0 };
      accepted.push(one);
      return {
        onData: (bytes) => void one.received.push(Buffer.from(bytes)),
        onDrain: () => {
          one.drains += 1;
        },
        onEnd: () => {
          one.ends += 1;
        },
      };
    });
    listeners.push(listener);
    return { listener, accepted };
  }

  async function dial(port: number): Promise<Socket> {
    const socket = connect(port, HOST);
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  it("tells both ends of a connection, and carries bytes both ways", async () => {
    const { listener, accepted } = await listen();
    const socket = await dial(listener.port);
    socket.write("ping");
    await until(() => accepted[0]?.received.length === 1);
    const { connection, received } = accepted[0] as Accepted;
    expect(Buffer.concat(received).toString()).toBe("ping");
    expect([connection.remoteHost, connection.localHost, connection.localPort]).toEqual([
      HOST,
      HOST,
      listener.port,
    ]);
    expect(listener.host).toBe(HOST);
    connection.write([Buffer.from("po"), Buffer.from("ng")]);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toBe("pong");
  });

  it("lends the bytes: they are in memory that all connections share", async () => {
    const lent: Uint8Array[] = [];
    const listener = await nodeByteNetwork.listen(HOST, 0, () => ({
      onData: (bytes) => void lent.push(bytes),
      onDrain: () => undefined,
      onEnd: () => undefined,
    }));
    listeners.push(listener);
    for (const word of ["one", "two"]) (await dial(listener.port)).write(word);
    await until(() => lent.length === 2);
    expect(lent[1]?.buffer).toBe(lent[0]?.buffer);
  });

  it("refuses a port that is taken by that name", async () => {
    const { listener } = await listen();
    await expect(listen(listener.port)).rejects.toMatchObject({ reason: "address-in-use" });
  });

  it("says when a peer does not read, and when it does again", async () => {
    const { listener, accepted } = await listen();
    const socket = await dial(listener.port);
    await until(() => accepted.length === 1);
    const one = accepted[0] as Accepted;
    socket.pause();
    // More than the buffers of two sockets hold.
    const pieces = Array.from({ length: 64 }, () => new Uint8Array(1024 * 1024));
    const written = pieces.reduce((total, piece) => total + piece.length, 0);
    expect(one.connection.write([Uint8Array.of(1)])).toBe(true);
    expect(one.connection.write(pieces)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(one.drains).toBe(0);
    let read = 0;
    socket.on("data", (bytes: Buffer) => {
      read += bytes.length;
    });
    socket.resume();
    await until(() => one.drains === 1 && read === written + 1);
  });

  it("delivers nothing while it is paused", async () => {
    const { listener, accepted } = await listen();
    const socket = await dial(listener.port);
    await until(() => accepted.length === 1);
    const one = accepted[0] as Accepted;
    one.connection.pause();
    socket.write("later");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(one.received).toEqual([]);
    one.connection.resume();
    await until(() => one.received.length > 0);
  });

  it.each([
    ["the peer says that it is done", (socket: Socket) => void socket.end()],
    ["the peer breaks off", (socket: Socket) => void socket.resetAndDestroy()],
  ])("ends once when %s", async (_what, leave) => {
    const { listener, accepted } = await listen();
    const socket = await dial(listener.port);
    await until(() => accepted.length === 1);
    leave(socket);
    await until(() => accepted[0]?.ends === 1);
    accepted[0]?.connection.destroy();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(accepted[0]?.ends).toBe(1);
    expect(accepted[0]?.connection.write([Uint8Array.of(1)])).toBe(true);
  });

  it("closes what its owner does not take", async () => {
    const listener = await nodeByteNetwork.listen(HOST, 0, () => undefined);
    listeners.push(listener);
    const socket = await dial(listener.port);
    await once(socket, "close");
  });

  it("closes every connection with the listener", async () => {
    const { listener, accepted } = await listen();
    const socket = await dial(listener.port);
    await until(() => accepted.length === 1);
    const closed = once(socket, "close");
    await listener.close();
    await closed;
    expect(accepted[0]?.ends).toBe(1);
  });
});
