/**
 * Free ports of the loopback interface, in a row. They lie below the range that the system gives to
 * outgoing connections: a broker that was killed must find its port free when it comes back.
 */
import { createServer } from "node:net";

const FIRST = 20_000;
const LAST = 31_000;

/** Given out before: a node that is down just now wants its port back. */
const given = new Set();

/** First of `count` free ports in a row, none of which was given out before. */
export async function freePorts(count) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const ports = Array.from({ length: count }, (_, at) => first + at);
    if (ports.some((port) => given.has(port))) continue;
    const held = [];
    try {
      for (const port of ports) held.push(await holdPort(port));
      for (const port of ports) given.add(port);
      return first;
    } catch (error) {
      if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
    } finally {
      await Promise.all(held.map((server) => releasePort(server)));
    }
  }
  throw new Error(`no ${count} free ports in a row were found between ${FIRST} and ${LAST}`);
}

/** Binds a port, so that nobody else can. */
export async function holdPort(port) {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

export async function releasePort(server) {
  await new Promise((resolve) => server.close(resolve));
}
