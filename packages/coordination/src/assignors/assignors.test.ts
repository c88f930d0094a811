import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TopicOf } from "../group-command.js";
import type { Assignments, AssignorMember } from "./assignor.js";
import { ASSIGNORS, assignorNamed } from "./assignors.js";
import { cooperativeSticky } from "./cooperative-sticky.js";
import { range } from "./range.js";
import { roundRobin } from "./round-robin.js";

/** `member("a", "t,u", "t-0 t-1")`: reads t and u, holds two partitions. */
function member(memberId: string, topics: string, held = "", generation = 1): AssignorMember {
  const owned = held === "" ? [] : held.split(" ").map(place);
  return { memberId, instanceId: undefined, topics: topics.split(","), owned, generation };
}

function place(text: string): TopicOf<number> {
  const [topic = "", partition] = text.split("-");
  return { topic, partitions: [Number(partition)] };
}

function texts(assignments: Assignments): Record<string, string> {
  const lines = [...assignments].map(([memberId, topics]) => [
    memberId,
    placesOf(topics).join(" "),
  ]);
  return Object.fromEntries(lines) as Record<string, string>;
}

function placesOf(topics: readonly TopicOf<number>[]): string[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((at) => `${topic}-${at}`));
}

const COUNTS = new Map([
  ["t", 5],
  ["u", 2],
]);

describe("range", () => {
  it("cuts each topic into stretches, the longer ones first", () => {
    expect(texts(range.assign([member("b", "t,u"), member("a", "t,u")], COUNTS))).toEqual({
      a: "t-0 t-1 t-2 u-0",
      b: "t-3 t-4 u-1",
    });
  });

  it("puts static members first, by their own names", () => {
    const fixed = { ...member("z", "t"), instanceId: "1" };
    expect(texts(range.assign([member("a", "t"), fixed], COUNTS))).toEqual({
      a: "t-3 t-4",
      z: "t-0 t-1 t-2",
    });
  });

  it("leaves a member without anything whose topic does not exist", () => {
    expect(texts(range.assign([member("a", "none"), member("b", "u")], COUNTS))).toEqual({
      a: "",
      b: "u-0 u-1",
    });
  });
});

describe("round robin", () => {
  it("gives to each in turn who reads the topic", () => {
    expect(texts(roundRobin.assign([member("a", "t"), member("b", "t,u")], COUNTS))).toEqual({
      a: "t-0 t-2 t-4",
      b: "t-1 t-3 u-0 u-1",
    });
  });
});

describe("cooperative sticky", () => {
  it("leaves everything where it is when it is even", () => {
    const members = [member("a", "t", "t-4 t-1"), member("b", "t", "t-0 t-2 t-3")];
    expect(texts(cooperativeSticky.assign(members, COUNTS))).toEqual({
      a: "t-1 t-4",
      b: "t-0 t-2 t-3",
    });
  });

  it("takes from who has more, and gives it only when it is let go", () => {
    const before = [member("a", "t", "t-0 t-1 t-2 t-3 t-4"), member("b", "t")];
    expect(texts(cooperativeSticky.assign(before, COUNTS))).toEqual({ a: "t-2 t-3 t-4", b: "" });
    const after = [member("a", "t", "t-2 t-3 t-4"), member("b", "t")];
    expect(texts(cooperativeSticky.assign(after, COUNTS))).toEqual({
      a: "t-2 t-3 t-4",
      b: "t-0 t-1",
    });
  });

  it("does not believe who missed a generation, nor two that claim the same", () => {
    const stale = [member("a", "t", "t-0 t-1", 1), member("b", "t", "t-0 t-2", 2)];
    expect(texts(cooperativeSticky.assign(stale, COUNTS))).toEqual({
      a: "t-1 t-3 t-4",
      b: "t-0 t-2",
    });
    const both = [member("a", "u", "u-0"), member("b", "u", "u-0 u-1")];
    expect(texts(cooperativeSticky.assign(both, COUNTS))).toEqual({ a: "u-0", b: "u-1" });
  });
});

describe("every assignor", () => {
  const members = fc.array(
    fc.record({
      topics: fc.subarray(["t", "u", "v", "none"], { minLength: 1 }),
      owned: fc.subarray(["t-0", "t-1", "t-7", "u-0", "v-2", "none-0"]),
      generation: fc.integer({ min: -1, max: 3 }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const counts = fc.record({ t: fc.nat(9), u: fc.nat(3), v: fc.nat(20) });

  it("gives each partition to one reader of its topic, once all that moves was let go", () => {
    fc.assert(
      fc.property(members, counts, fc.constantFrom(...ASSIGNORS), (drafts, record, assignor) => {
        const partitions = new Map(Object.entries(record));
        let readers: AssignorMember[] = drafts.map(({ topics, owned, generation }, at) => {
          return { ...member(`m${at}`, topics.join(","), owned.join(" ")), generation };
        });
        let assigned = assignor.assign(readers, partitions);
        for (let round = 0; round < 2 && assignor.isCooperative; round++) {
          readers = readers.map((reader) => {
            return { ...reader, owned: assigned.get(reader.memberId) ?? [], generation: 9 + round };
          });
          assigned = assignor.assign(readers, partitions);
        }
        const all = [...assigned].flatMap(([memberId, topics]) =>
          placesOf(topics).map((text) => [memberId, text] as const),
        );
        expect(new Set(all.map(([, text]) => text)).size).toBe(all.length);
        const topicsReadBy = new Map(readers.map(({ memberId, topics }) => [memberId, topics]));
        for (const [memberId, text] of all) {
          expect(topicsReadBy.get(memberId)).toContain(text.split("-")[0]);
        }
        const expected = [...partitions].filter(([topic]) =>
          readers.some(({ topics }) => topics.includes(topic)),
        );
        expect(all.length).toBe(expected.reduce((total, [, count]) => total + count, 0));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("is found by the name that members join with", () => {
    expect(assignorNamed("cooperative-sticky")?.isCooperative).toBe(true);
    expect(assignorNamed("RoundRobinAssigner")?.isCooperative).toBe(false);
    expect(assignorNamed("something")).toBeUndefined();
  });
});
