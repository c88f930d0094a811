/** Starts that fail because of a port or a directory. */
import { chmodSync, writeFileSync } from "node:fs";
import { mustRun, runCommand, startCommand } from "../lab/command.mjs";
import { freePorts, holdPort, releasePort } from "../lab/ports.mjs";
import { checkRefusal, checkRefusedStart, checkUnharmed, pidsOf } from "./refusal-check.mjs";

export async function refusedResources(context) {
  const pids = pidsOf(context.cluster);
  await takenPorts(context);
  await takenPortOfUp(context);
  await directories(context);
  await checkUnharmed(context, "starts on taken ports and directories", pids);
}

async function takenPorts(context) {
  const { cluster, workspace } = context;
  const port = await freePorts(3);
  const held = await holdPort(port);
  for (const flag of ["--grpc-port", "--peer-port", "--http-port", "--kafka-port"]) {
    const peerPort = flag === "--peer-port" ? port : port + 1;
    const args = cluster.startArguments(1, {
      id: 9,
      directory: workspace.newDirectory(`taken${flag}`),
      voters: `9@127.0.0.1:${peerPort}`,
      grpcPort: flag === "--grpc-port" ? port : port + 2,
      peerPort,
      httpPort: flag === "--http-port" ? port : undefined,
      kafkaPort: flag === "--kafka-port" ? port : "off",
    });
    await checkRefusedStart(context, `broker start with a taken ${flag}`, args, {
      code: 1,
      words: [String(port), "is in use", flag],
    });
  }
  await releasePort(held);
}

async function takenPortOfUp({ report, workspace }) {
  const port = await freePorts(6);
  const held = await holdPort(port + 1);
  const result = await runCommand(
    workspace,
    [
      ...["up", "--data-dir", workspace.path("taken-up")],
      ...["--grpc-port", String(port), "--peer-port", String(port + 3)],
      ...["--kafka-port", "off", "--http-port", "off"],
    ],
    { timeoutMs: 20_000 },
  );
  await releasePort(held);
  checkRefusal(report, "`strandline up` with a taken port", result, {
    code: 1,
    words: [String(port + 1), "is in use", "--grpc-port", "hint:"],
  });
  const started = [port, port + 2, port + 3, port + 4, port + 5];
  const taken = [];
  for (const each of started) {
    try {
      await releasePort(await holdPort(each));
    } catch {
      taken.push(each);
    }
  }
  report.check(
    "`strandline up` with a taken port starts nothing",
    taken.length === 0 ? undefined : `someone listens on ${taken.join(", ")}`,
  );
}

async function directories(context) {
  const { cluster, workspace, report } = context;
  const port = await freePorts(2);
  const ports = { grpcPort: port, peerPort: port + 1 };
  const used = cluster.nodes.get(1).directory;
  await checkRefusedStart(
    context,
    "broker start on a directory that another process uses",
    cluster.startArguments(1, ports),
    { code: 1, words: [used, "process"] },
  );
  const file = workspace.path("a-file");
  writeFileSync(file, "not a directory");
  const alone = { id: 9, voters: `9@127.0.0.1:${port + 1}`, ...ports };
  await checkRefusedStart(
    context,
    "broker start on a file instead of a directory",
    cluster.startArguments(1, { ...alone, directory: file }),
    { code: 1, words: [file] },
  );
  await checkRefusedStart(
    context,
    "broker start on another node's directory",
    cluster.startArguments(1, { ...alone, directory: await stoppedDirectory(context) }),
    { code: 1, words: ["node", "9"] },
  );
  if (process.getuid?.() === 0) {
    report.skip("broker start on an unwritable directory", "root may write everywhere");
    return;
  }
  const closed = workspace.newDirectory("closed");
  chmodSync(closed, 0o500);
  await checkRefusedStart(
    context,
    "broker start on an unwritable directory",
    cluster.startArguments(1, { ...alone, directory: closed }),
    { code: 1, words: [closed] },
  );
  chmodSync(closed, 0o700);
}

/** The directory of a node of id 8 that has run and was stopped. */
async function stoppedDirectory({ cluster, workspace }) {
  const port = await freePorts(2);
  const directory = workspace.newDirectory("node-8");
  const args = cluster.startArguments(1, {
    id: 8,
    voters: `8@127.0.0.1:${port + 1}`,
    grpcPort: port,
    peerPort: port + 1,
    directory,
  });
  await runUntilServing(workspace, args, port);
  return directory;
}

/** Starts a cluster of one, waits until it serves, and stops it. */
export async function runUntilServing(workspace, args, grpcPort) {
  const child = startCommand(workspace, args, { logFile: workspace.path("alone.log") });
  const brokers = `127.0.0.1:${grpcPort}`;
  await mustRun(workspace, ["cluster", "health", "--exit-when-healthy", "-b", brokers]);
  await child.stop();
}
