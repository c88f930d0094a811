/**
 * What people try first: `npm start` with no setting, and clients with their defaults at port 9092.
 * Needs the default ports, so it is skipped where something else has them.
 */
import assert from "node:assert/strict";
import { startCommand } from "../../lab/command.mjs";
import { Lacking } from "../../lab/lacking.mjs";
import { holdPort, releasePort } from "../../lab/ports.mjs";
import { have, must } from "../../lab/toolchain.mjs";
import { GivenUp, until } from "../../lab/waiting.mjs";
import { BEHAVIOURS } from "../behaviours.mjs";
import { freshName } from "../test-records.mjs";
import { kafkajs } from "./kafkajs.mjs";
import { platformatic } from "./platformatic.mjs";

const ADDRESS = "localhost:9092";
const PORTS = [9092, 9093, 9094, 50051, 50052, 50053, 51051, 51052, 51053, 8080, 8081, 8082];
const TRIED = [
  "produce and consume: uncompressed",
  "keys, null values, headers and timestamps come back",
  "the first use of a topic creates it",
  "group: what was committed is resumed",
  "admin: topics",
  "admin: groups",
];

export const npmStart = {
  name: "npm-start",
  async prepare({ workspace }) {
    await have(workspace, ["kcat", "-V"]);
    await requirePorts();
    await start(workspace);
    const kcat = async (args, input) =>
      await must(workspace, ["kcat", "-b", ADDRESS, ...args], { input, timeoutMs: 60_000 });
    const cases = [
      { test: `kcat -b ${ADDRESS} -L`, run: async () => await list(kcat) },
      { test: `kcat -b ${ADDRESS} -P, -C -e -J`, run: async () => await roundTrip(kcat) },
      ...[kafkajs, platformatic].flatMap((client) => withDefaults(client, workspace)),
    ];
    return { version: "with no setting", cases };
  },
};

async function requirePorts() {
  for (const port of PORTS) {
    try {
      await releasePort(await holdPort(port));
    } catch {
      throw new Lacking(`port ${port} is taken`);
    }
  }
}

/** What `npm start` runs once it has built; its data lies below a directory that goes again. */
async function start(workspace) {
  const cwd = workspace.newDirectory("npm-start");
  const child = startCommand(workspace, ["up"], { cwd });
  await until("`strandline up` says that it runs", () => {
    if (!child.isAlive) throw new GivenUp(`it ended: ${child.stderr.trim()}`);
    return child.stderr.includes("Ctrl-C stops it.");
  });
  for (const [, pid] of child.stderr.matchAll(/^ {2}node \d+ .*process (\d+)/gm)) {
    workspace.adopt(Number(pid));
  }
}

async function list(kcat) {
  const { brokers } = JSON.parse(await kcat(["-L", "-J"]));
  assert.deepEqual(brokers.map(({ name }) => name).sort(), [
    "127.0.0.1:9092",
    "127.0.0.1:9093",
    "127.0.0.1:9094",
  ]);
}

async function roundTrip(kcat) {
  const topic = freshName("hello");
  await kcat(["-P", "-t", topic], "one\ntwo\n");
  const lines = (await kcat(["-C", "-e", "-J", "-t", topic])).trim().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).payload),
    ["one", "two"],
  );
}

function withDefaults(client, workspace) {
  return BEHAVIOURS.filter(({ test }) => TRIED.includes(test)).map(({ test, run }) => ({
    test: `${client.name}: ${test}`,
    run: async ({ target }) => {
      const driver = await client.open({ bootstrap: [ADDRESS], workspace });
      try {
        await run(driver, { target });
      } finally {
        await driver.close();
      }
    },
  }));
}
