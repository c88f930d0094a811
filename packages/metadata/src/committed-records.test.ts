/** Nothing that was committed is lost by an election, however far behind the leaders are. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommittedRecords } from "./testing/committed-records.js";

const NODES = [1, 2, 3];
const SPARE = 4;
const BROKERS = [...NODES, SPARE];

/** What may be written on a broker that starts. */
const WRITTEN = [{}, { "min.insync.replicas": "2" }, { "min.insync.replicas": "3" }];

type Step = readonly [kind: number, node: number, choice: number];

const STEPS = fc.array(
  fc.tuple(fc.nat({ max: 18 }), fc.constantFrom(...BROKERS), fc.nat({ max: 63 })),
  { minLength: 1, maxLength: 100 },
);

/** Refusals are part of life; what they leave is checked all the same. */
function happen(world: CommittedRecords, step: Step): void {
  try {
    act(world, step);
  } catch (error) {
    if (!/^[a-z-]+: [A-Z_]+:/.test((error as Error).message)) throw error;
  }
  world.changed();
}

function act(world: CommittedRecords, [kind, node, choice]: Step): void {
  const { cluster } = world;
  switch (kind) {
    case 0:
      cluster.fence(node);
      return;
    case 1:
    case 2:
      cluster.unfence(node);
      return;
    case 3:
      world.restart(node, choice % 2 === 0, WRITTEN[(choice >> 1) % WRITTEN.length]);
      return;
    case 4:
      if (choice % 8 === 0) world.replaceDirectory(node, 200 + choice + cluster.image.offset);
      return;
    case 5:
      cluster.stop(node);
      return;
    case 6:
      if (choice % 4 === 0) cluster.accept({ kind: "node-failed", ...cluster.incarnation(node) });
      return;
    case 7: {
      // Back to the default, about which the brokers' operators vote; or the topic's own.
      const isDefault = choice % 4 === 3;
      const set = isDefault ? {} : { "min.insync.replicas": String((choice % 4) + 1) };
      const remove = isDefault ? ["min.insync.replicas"] : [];
      cluster.accept({ ...cluster.settings("t", set, remove), allowWeakDurability: true });
      return;
    }
    case 8:
      cluster.accept({ kind: "elect-leaders", topic: "t", partitions: [], unclean: false });
      return;
    case 9:
    case 10:
      world.observe(node, choice % 4);
      return;
    case 11:
    case 12:
      world.commit(node);
      return;
    case 13:
      world.propose(node, { add: chosen(choice), drop: chosen(choice >> 3) });
      return;
    case 14:
      cluster.accept(cluster.reassignment("t", choice % 4 === 0 ? null : chosen(choice)));
      return;
    case 15:
    case 16:
      cluster.accept({ kind: "complete-reassignments" });
      return;
    default:
      world.deliver(choice, choice % 3 !== 0);
  }
}

function chosen(bits: number): number[] {
  return BROKERS.filter((_, at) => ((bits >> at) & 1) === 1);
}

describe("committed records", () => {
  for (const durability of ["fsync", "replicated"]) {
    it(`are held by whoever may lead, with durability=${durability}`, () => {
      fc.assert(
        fc.property(STEPS, (steps) => {
          const world = new CommittedRecords(NODES, { durability }, [SPARE]);
          for (const step of steps) {
            happen(world, step);
            expect(world.problem()).toBeUndefined();
          }
        }),
        { numRuns: 1_500 },
      );
    });
  }

  it("survive a change of the minimum that the leader has not seen", () => {
    const world = new CommittedRecords(NODES);
    setMinimum(world, 1);
    world.observe(1, 0);
    setMinimum(world, 2);
    // The leader, which still knows the minimum of 1, asks to go on alone, and commits alone.
    world.propose(1, { add: [], drop: [2, 3] });
    world.deliver(0, true);
    world.changed();
    world.commit(1);
    expect(world.problem()).toBeUndefined();
  });

  it("survive a vote on the minimum that the leader has not seen", () => {
    const others = [4, 5, 6, 7];
    const world = new CommittedRecords(NODES, {}, others);
    for (const node of others) {
      // Up to here the leader knows everything: the last one to start decides the vote.
      world.observe(1, 0);
      world.restart(node, true, { "min.insync.replicas": "3" });
      world.changed();
    }
    // The leader, which still knows the minimum of 2, asks to go on without the third replica.
    world.propose(1, { add: [], drop: [3] });
    world.deliver(0, true);
    world.changed();
    world.commit(1);
    expect(world.problem()).toBeUndefined();
  });

  it("are not taken to be on a disk that was lost while the leader's proposal was under way", () => {
    const world = new CommittedRecords(NODES, { durability: "replicated" });
    const { cluster } = world;
    cluster.fence(3);
    cluster.unfence(3);
    world.changed();
    world.observe(1, 0);
    world.propose(1, { add: [3], drop: [] });
    world.restart(3, false);
    cluster.unfence(3);
    world.deliver(0, true);
    expect(world.problem()).toBeUndefined();
    expect(world.partition.isr).toEqual([1, 2]);
  });
});

function setMinimum(world: CommittedRecords, replicas: number): void {
  const command = world.cluster.settings("t", { "min.insync.replicas": String(replicas) });
  world.cluster.accept({ ...command, allowWeakDurability: true });
  world.changed();
}
