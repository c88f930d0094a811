/** Plain HTTP/2 peers in processes of their own, which tests can kill as the system kills them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Takes every stream, answers with headers, and says no more. */
const SERVER = `
const server = require("node:http2").createServer();
server.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

/** Opens one stream to argv[1] at path argv[2], and says no more. */
const CLIENT = `
const session = require("node:http2").connect("http://" + process.argv[1]);
const stream = session.request({
  ":method": "POST",
  ":path": process.argv[2],
  "content-type": "application/grpc",
  te: "trailers",
}, { endStream: false });
stream.on("response", () => console.log("open"));
`;

export interface Child {
  /** First line that it printed. */
  readonly greeting: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export function startHttp2Server(): Promise<Child> {
  return start(SERVER, []);
}

export function startHttp2Client(address: string, path: string): Promise<Child> {
  return start(CLIENT, [address, path]);
}

async function start(source: string, args: readonly string[]): Promise<Child> {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child: ChildProcess = spawn(process.execPath, ["-e", source, ...args], {
    stdio: [...stdio],
  });
  const exited = once(child, "exit");
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return {
    greeting: line.toString().trim(),
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
