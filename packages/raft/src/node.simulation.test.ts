import { describe, expect, it } from "vitest";
import { Simulation } from "./testdata/simulation.js";

/** More of them by `RAFT_SEEDS=20000 npx vitest run packages/raft`. */
const SEEDS = Number(process.env["RAFT_SEEDS"] ?? 300);
const STEPS = 1_500;

/** Runs one seed to its end; a failure names the seed and the step that shows it. */
function run(seed: number): Simulation {
  const simulation = new Simulation(seed);
  let step = 0;
  try {
    for (; step < STEPS; step += 1) simulation.step();
    simulation.settle(60);
    expectLive(simulation);
  } catch (cause) {
    throw new Error(`seed ${seed}, step ${step}: ${String(cause)}`, { cause });
  }
  return simulation;
}

/** After the storm: one leader, followed by all voters, that commits on all of them. */
function expectLive(simulation: Simulation): void {
  const leader = simulation.leader();
  if (typeof leader === "string") throw new Error(leader);
  const proposed = leader.node.propose(Uint8Array.of(33));
  expect(proposed).not.toBe("not-leader");
  simulation.settle(6);
  for (const voter of leader.node.voters) {
    const server = simulation.servers.get(voter);
    expect(server?.machine, `what ${voter} applied`).toEqual(leader.machine);
    expect(server?.machine.at(-1)?.text).toBe("!");
  }
}

describe("a cluster in bad weather", () => {
  const marks = new Map<string, number>();

  it("keeps every promise of raft, and works again once the weather is good", () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      for (const [name, count] of run(seed).oracle.marks) {
        marks.set(name, (marks.get(name) ?? 0) + count);
      }
    }
  }, 3_600_000);

  it("went through all of it", () => {
    const names = [
      "election",
      "restart",
      "disk replaced",
      "read",
      "snapshot installed",
      "timeout-now",
      "stale-term",
    ];
    for (const name of names) expect(marks.get(name), name).toBeGreaterThan(10);
    for (const size of [1, 2, 3, 4, 5, 6]) {
      expect(marks.get(`configuration of ${size}`), `${size} voters`).toBeGreaterThan(10);
    }
  });
});
