/**
 * A port where no connection is ever made, and none is refused: its process stands still, and the
 * queue of those who wait for it is full. As a host that has left the network.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";

const HOST = "127.0.0.1";
/** More than the shortest queue holds on any system. */
const WAITING = 16;

const CODE = `
const server = require("node:net").createServer();
server.listen({ host: "${HOST}", port: 0, backlog: 1 }, () => {
  require("node:fs").writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
`;

export interface SilentListener {
  readonly port: number;
  close(): Promise<void>;
}

export async function startSilentListener(): Promise<SilentListener> {
  const child = spawn(process.execPath, ["-e", CODE], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = await once(child.stdout, "data");
  const port = Number(String(chunk));
  const waiting = Array.from({ length: WAITING }, () => {
    const socket = connect(port, HOST);
    // The end of the child resets them.
    socket.on("error", () => undefined);
    return socket;
  });
  // Until the queue takes no more: whoever gets in does so at once.
  let accepted = -1;
  for (let before = -2; before !== accepted; ) {
    before = accepted;
    await new Promise((resolve) => setTimeout(resolve, 100));
    accepted = waiting.filter((socket) => !socket.connecting).length;
  }
  return {
    port,
    close: async () => {
      for (const socket of waiting) socket.destroy();
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
