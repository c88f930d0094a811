import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMajority, majority, reachedByMajority, tally } from "./quorum.js";

const votersAndValues = fc
  .uniqueArray(fc.nat({ max: 50 }), { minLength: 1, maxLength: 9 })
  .chain((voters) =>
    fc.record({
      voters: fc.constant(voters),
      values: fc.array(fc.nat({ max: 20 }), {
        minLength: voters.length,
        maxLength: voters.length,
      }),
    }),
  )
  .map(({ voters, values }) => {
    return { voters, value: new Map(voters.map((voter, at) => [voter, values[at] ?? 0])) };
  });

describe("a majority", () => {
  it("shares a voter with every other majority, and one voter fewer does not", () => {
    for (let count = 1; count <= 99; count += 1) {
      expect(2 * majority(count)).toBeGreaterThan(count);
      expect(2 * (majority(count) - 1)).toBeLessThanOrEqual(count);
    }
  });

  it("shares a voter with every majority of a configuration that differs by one server", () => {
    for (let count = 1; count <= 99; count += 1) {
      expect(majority(count) + majority(count + 1)).toBeGreaterThan(count + 1);
    }
  });
});

describe(reachedByMajority, () => {
  it("is the largest value that a majority has reached", () => {
    fc.assert(
      fc.property(votersAndValues, ({ voters, value }) => {
        const reached = reachedByMajority(voters, (voter) => value.get(voter) ?? 0);
        const holders = (least: number): number =>
          voters.filter((voter) => (value.get(voter) ?? 0) >= least).length;
        expect(holders(reached)).toBeGreaterThanOrEqual(majority(voters.length));
        expect(holders(reached + 1)).toBeLessThan(majority(voters.length));
      }),
    );
  });

  it("never goes back when a voter advances", () => {
    fc.assert(
      fc.property(votersAndValues, fc.nat(), fc.nat(), ({ voters, value }, which, by) => {
        const of = (voter: number): number => value.get(voter) ?? 0;
        const before = reachedByMajority(voters, of);
        const voter = voters[which % voters.length] ?? 0;
        value.set(voter, of(voter) + by);
        expect(reachedByMajority(voters, of)).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it("does not depend on the order of the voters", () => {
    fc.assert(
      fc.property(votersAndValues, ({ voters, value }) => {
        const of = (voter: number): number => value.get(voter) ?? 0;
        expect(reachedByMajority([...voters].reverse(), of)).toBe(reachedByMajority(voters, of));
      }),
    );
  });
});

describe(tally, () => {
  const votersAndVotes = votersAndValues.map(({ voters, value }) => {
    const votes = new Map<number, boolean>();
    // A third has not answered; strangers have no say.
    for (const [voter, number] of value) if (number % 3 !== 0) votes.set(voter, number % 3 === 1);
    votes.set(99, true).set(98, true);
    return { voters, votes };
  });

  it("is won by a majority of yes, lost when that cannot be had any more, and else open", () => {
    fc.assert(
      fc.property(votersAndVotes, ({ voters, votes }) => {
        const yes = voters.filter((voter) => votes.get(voter) === true).length;
        const no = voters.filter((voter) => votes.get(voter) === false).length;
        const needed = majority(voters.length);
        const expected = yes >= needed ? "won" : voters.length - no >= needed ? "open" : "lost";
        expect(tally(voters, votes)).toBe(expected);
      }),
    );
  });

  it("is won by one candidate at most when each voter has one vote", () => {
    fc.assert(
      fc.property(votersAndValues, ({ voters, value }) => {
        const won = [0, 1, 2].filter((candidate) => {
          const votes = new Map([...value].map(([id, chosen]) => [id, chosen % 3 === candidate]));
          return tally(voters, votes) === "won";
        });
        expect(won.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe(isMajority, () => {
  it("counts voters that satisfy a condition", () => {
    expect(isMajority([1, 2, 3], (voter) => voter !== 2)).toBe(true);
    expect(isMajority([1, 2, 3, 4], (voter) => voter > 2)).toBe(false);
  });
});
