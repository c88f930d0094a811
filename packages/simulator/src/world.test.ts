import { unaryRoute } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import type { NodePorts } from "./node-ports.js";
import type { Checker, Observation } from "./observation.js";
import { askMethod, PORT } from "./testing/echo-world.js";
import { World, type WorldOptions } from "./world.js";

const idle = { close: async () => undefined };

/** A world whose node "a" does `act` when it starts. */
function worldOf(act: (ports: NodePorts) => void, options: Partial<WorldOptions> = {}): World {
  const world = new World({ seed: 1, ...options });
  world.startNode("a", async (ports) => {
    act(ports);
    return idle;
  });
  return world;
}

describe("a node that crashes", () => {
  it("never acts again: timers, promises, files, messages, logs and observations", async () => {
    const acts: string[] = [];
    const observed: Observation[] = [];
    const checker: Checker = {
      name: "observed",
      observe: (observation) => {
        observed.push(observation);
        return undefined;
      },
      finish: () => [],
    };
    const lines: string[] = [];
    let kept: NodePorts | undefined;
    const world = worldOf(
      (ports) => {
        kept = ports;
        ports.timers.after(50, () => acts.push("timer"));
        const note = (what: string) => () => void acts.push(what);
        ports.openKeyValueStore("/s").then(note("store"), note("store failed"));
        ports.fileSystem.makeDirectory("/d").then(note("file"), note("file failed"));
        const options = { timeoutMs: 10 };
        const call = ports.transport.call("b:1", askMethod, 1, options);
        call.then(note("call"), note("call failed"));
      },
      { checkers: [checker], onLog: (line) => lines.push(line.message) },
    );
    await world.run({ untilMs: 0.01 });
    world.crash("a");
    // What the dead process still holds in its hands does nothing.
    kept?.logger.info({}, "still here");
    const partition = "t-0";
    kept?.observe({ kind: "acknowledged", partition, offset: 0, payload: "x" });
    kept?.timers.after(1, () => acts.push("timer of the dead"));
    kept?.fileSystem.exists("/").then(
      () => acts.push("file of the dead"),
      () => acts.push("file of the dead failed"),
    );
    kept?.transport
      .open("b:1", askMethod, { onMessage: () => undefined, onEnd: () => acts.push("stream") })
      .send(1);
    kept?.exit(new TypeError("no longer of interest"));
    await world.run({ untilMs: 60_000 });
    expect([acts, lines, observed, world.findings()]).toEqual([[], [], [], []]);
  });

  it("in the middle of its own code does not get to act after that", async () => {
    const acts: string[] = [];
    const world = new World({ seed: 1 });
    world.startNode("a", async (ports) => {
      ports.exit(undefined);
      ports.timers.after(1, () => acts.push("timer"));
      await ports.fileSystem.exists("/");
      acts.push("after the end");
      return idle;
    });
    await world.run({ untilMs: 1_000 });
    expect(acts).toEqual([]);
    expect(world.stateOf("a")).toBe("down");
  });

  it("starts anew from its disk, as another generation with its own numbers", async () => {
    const draws: number[] = [];
    const generations: number[] = [];
    const world = worldOf((ports) => {
      generations.push(ports.generation);
      draws.push(ports.random.below(2 ** 32));
    });
    await world.run({ untilMs: 1 });
    world.crash("a");
    expect(world.stateOf("a")).toBe("down");
    world.crash("a");
    world.restart("a");
    world.restart("a");
    await world.run({ untilMs: 2 });
    expect(world.stateOf("a")).toBe("running");
    expect(generations).toEqual([1, 2]);
    expect(draws[0]).not.toBe(draws[1]);
  });
});

describe("a node that is paused", () => {
  it("does nothing until it is resumed, and then all at once", async () => {
    const times: number[] = [];
    const world = worldOf((ports) => {
      const again = (): void => {
        times.push(Math.floor(world.nowMs / 1_000));
        ports.timers.after(250, again);
      };
      again();
      ports.timers.after(1_500, () => times.push(-1));
    });
    await world.run({ untilMs: 900 });
    world.pause("a");
    expect(world.stateOf("a")).toBe("paused");
    await world.run({ untilMs: 5_000 });
    world.resume("a");
    await world.run({ untilMs: 5_300 });
    expect(times).toEqual([0, 0, 0, 0, 5, -1, 5]);
  });

  it("can be killed in its sleep", async () => {
    const world = worldOf(() => undefined);
    await world.run({ untilMs: 10 });
    world.pause("a");
    world.crash("a");
    world.resume("a");
    await world.run({ untilMs: 100 });
    expect(world.stateOf("a")).toBe("down");
  });
});

describe("a node that is asked to stop", () => {
  it("closes first, and keeps what it wrote", async () => {
    const acts: string[] = [];
    const world = new World({ seed: 1 });
    world.startNode("a", async (ports) => {
      const store = await ports.openKeyValueStore("/s");
      return {
        close: async () => {
          await store.write([{ kind: "put", key: "k", value: Uint8Array.of(1) }], { sync: false });
          await store.close();
          acts.push("closed");
        },
      };
    });
    await world.run({ untilMs: 1_000 });
    world.stop("a");
    expect(world.stateOf("a")).toBe("stopping");
    await world.runUntil(() => world.stateOf("a") === "down", { withinMs: 1_000 });
    expect(acts).toEqual(["closed"]);
    expect(world.machine("a").stores.at("/s").get("k")).toEqual(Uint8Array.of(1));
  });

  it("is killed when it takes too long", async () => {
    const world = new World({ seed: 1 });
    world.startNode("a", async () => ({ close: () => new Promise(() => undefined) }));
    await world.run({ untilMs: 10 });
    world.stop("a");
    await world.run({ untilMs: 29_000 });
    expect(world.stateOf("a")).toBe("stopping");
    await world.run({ untilMs: 31_000 });
    expect(world.stateOf("a")).toBe("down");
    expect(world.findings()).toEqual([]);
  });
});

describe("a node that ends by itself", () => {
  it("stays down, or starts again where a supervisor is asked for", async () => {
    const starts: number[] = [];
    const world = new World({ seed: 1, restartAfterExitMs: 500 });
    world.startNode("a", async (ports) => {
      starts.push(Math.round(world.nowMs));
      if (ports.generation < 3) throw Object.assign(new Error("disk"), { code: "EIO" });
      return idle;
    });
    await world.run({ untilMs: 5_000 });
    expect(starts).toEqual([0, 500, 1_000]);
    expect(world.stateOf("a")).toBe("running");
    expect(world.findings()).toEqual([]);
  });
});

describe("a finding", () => {
  const cases: readonly (readonly [string, (ports: NodePorts) => void, object])[] = [
    [
      "an exception of a timer",
      (ports) => {
        ports.timers.after(5, () => {
          throw new Error("bad timer");
        });
      },
      { kind: "exception", message: "Error: bad timer" },
    ],
    [
      "a rejection that nobody handles",
      (ports) => {
        const fail = async (): Promise<void> => {
          await ports.fileSystem.exists("/");
          throw new Error("floating");
        };
        void fail();
      },
      { kind: "unhandled-rejection", message: "Error: floating" },
    ],
    [
      "a broken invariant that ends the process",
      (ports) => ports.exit(new TypeError("x is undefined")),
      { kind: "exception", message: "TypeError: x is undefined" },
    ],
    [
      "a broken invariant that was caught and logged",
      (ports) => ports.logger.error({ error: new RangeError("oops") }, "request failed"),
      { kind: "exception", message: "RangeError: oops" },
    ],
  ];

  it.each(cases)("is %s", async (_title, act, finding) => {
    const world = worldOf(act);
    world.startNode("b", async () => idle);
    await world.run({ untilMs: 10_000 });
    expect(world.findings()).toMatchObject([{ seed: 1, node: "a", ...finding }]);
    expect(world.nowMs).toBeLessThan(10_000);
    const { nowMs } = world;
    await world.run({ untilMs: 20_000 });
    expect(world.nowMs).toBe(nowMs);
  });

  it("is a handler's broken invariant, though its caller only sees a refusal", async () => {
    const world = new World({ seed: 1 });
    const broken = unaryRoute(askMethod, () => {
      throw new TypeError("secret");
    });
    let failure: unknown;
    world.startNode("server", async (ports) => {
      await ports.transport.listen("", PORT, [broken]);
      return idle;
    });
    world.startNode("client", async (ports) => {
      await ports.fileSystem.exists("/");
      const options = { timeoutMs: 1_000 };
      await ports.transport.call(`server:${PORT}`, askMethod, 1, options).catch((error) => {
        failure = error;
      });
      return idle;
    });
    await world.run({ untilMs: 5_000 });
    expect(world.findings()).toMatchObject([{ node: "server", message: "TypeError: secret" }]);
    expect(failure).toBeUndefined();
  });

  it("is what a checker says, at once or at the end", async () => {
    const checker: Checker = {
      name: "grumpy",
      observe: () => "I saw that",
      finish: () => ["I do not like it"],
    };
    const world = worldOf(
      (ports) => {
        const record = { offset: 0, payload: "x" };
        ports.observe({ kind: "acknowledged", partition: "t-0", ...record });
      },
      { checkers: [checker] },
    );
    await world.run({ untilMs: 100 });
    expect(world.findings().map(({ message }) => message)).toEqual(["grumpy: I saw that"]);
    expect(world.finish().length).toBe(2);
  });
});

describe("world time", () => {
  it("calls back whatever happens to the nodes, and ends a run where a predicate holds", async () => {
    const world = worldOf(() => undefined);
    let isCalled = false;
    world.after(70, () => {
      isCalled = true;
    });
    expect(await world.runUntil(() => isCalled, { withinMs: 10 })).toBe(false);
    expect(world.nowMs).toBe(10);
    expect(await world.runUntil(() => isCalled, { withinMs: 1_000 })).toBe(true);
    expect(world.nowMs).toBe(70);
  });
});
