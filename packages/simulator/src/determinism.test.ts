import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { unaryRoute } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import type { App, NodePorts } from "./node-ports.js";
import { raftScenario } from "./scenarios/raft/raft-scenario.js";
import { jsonMethod, PORT } from "./testing/echo-world.js";
import { World } from "./world.js";

const addMethod = jsonMethod<number, number>("Add", "unary");

/** A counter on disk that adds what it is told, and answers once the sum is durable. */
async function counter(ports: NodePorts): Promise<App> {
  const store = await ports.openKeyValueStore("/counter");
  const stored = await store.get("sum");
  let sum = stored === undefined ? 0 : Number(Buffer.from(stored).toString());
  const add = unaryRoute(addMethod, async (amount) => {
    sum += amount;
    const value = Buffer.from(String(sum));
    await store.write([{ kind: "put", key: "sum", value }], { sync: true });
    return sum;
  });
  await ports.transport.listen(ports.host, PORT, [add]);
  return { close: async () => undefined };
}

/** Adds random amounts at both counters; `jitter` decides how long to wait in between. */
async function adder(ports: NodePorts, jitter: () => number): Promise<App> {
  const addOne = async (): Promise<void> => {
    const address = `counter-${ports.random.below(2)}:${PORT}`;
    const amount = ports.random.below(100);
    await ports.transport
      .call(address, addMethod, amount, { timeoutMs: 500 })
      .catch((error: Error) => ports.logger.warn({ error }, "not added"));
    ports.timers.after(jitter(), () => void addOne());
  };
  await addOne();
  return { close: async () => undefined };
}

async function hashOf(seed: number, jitter?: () => number): Promise<string> {
  const world = new World({ seed });
  world.startNode("counter-0", counter);
  world.startNode("counter-1", counter);
  world.startNode("adder", (ports) => adder(ports, jitter ?? (() => ports.random.below(20))));
  world.after(3_000, () => world.crash("counter-0"));
  world.after(4_000, () => world.restart("counter-0"));
  world.after(5_000, () => world.pause("counter-1"));
  world.after(6_000, () => world.resume("counter-1"));
  world.after(7_000, () => world.partition([["adder"], ["counter-0"]]));
  world.after(9_000, () => world.heal());
  await world.run({ untilMs: 30_000 });
  expect(world.findings()).toEqual([]);
  expect(world.eventCount).toBeGreaterThan(5_000);
  return world.traceHash;
}

// Simulations take their time where other tests run beside them.
describe("a seed", { timeout: 120_000 }, () => {
  it("decides everything: the same one gives the same trace, another one another", async () => {
    const hash = await hashOf(1);
    expect(await hashOf(1)).toBe(hash);
    expect(await hashOf(2)).not.toBe(hash);
  });

  it("no longer does once node code asks the real world, and the trace shows it", async () => {
    const jitter = (): number => 20 * Math.random();
    const hashes = [await hashOf(1, jitter), await hashOf(1, jitter)];
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  it("gives the same trace after other seeds have run in the process", async () => {
    const first = await raftScenario().run({ seed: 4 });
    await raftScenario().run({ seed: 5 });
    const again = await raftScenario().run({ seed: 4 });
    expect(again).toEqual(first);
  });

  it("gives the same trace in another process", async () => {
    const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
    expect(existsSync(cli), "npm run build comes before").toBe(true);
    const args = [cli, "--scenario", "raft", "--seed", "4"];
    const run = promisify(execFile);
    const outputs = await Promise.all([run(process.execPath, args), run(process.execPath, args)]);
    const traces = outputs.map(({ stdout }) => /trace ([0-9a-f]{16})/.exec(stdout)?.[1]);
    expect(traces[0]).toBeDefined();
    expect(traces[1]).toBe(traces[0]);
  });
});
