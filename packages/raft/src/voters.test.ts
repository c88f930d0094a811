import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeVoters, encodeVoters, sortedVoters, VoterHistory, votersProblem } from "./voters.js";

const voterList = fc
  .uniqueArray(fc.nat({ max: 2 ** 31 - 1 }))
  .map((voters) => sortedVoters(voters));

describe("a voter list", () => {
  it("survives its encoding", () => {
    fc.assert(
      fc.property(voterList, (voters) => {
        expect(decodeVoters(encodeVoters(voters))).toEqual(voters);
      }),
    );
  });

  it("is refused or legal, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const voters = decodeVoters(bytes);
        if (voters !== undefined) expect(encodeVoters(voters)).toEqual(bytes);
      }),
    );
  });

  it("is ascending, without repeats, and of node ids", () => {
    expect(votersProblem([])).toBe(undefined);
    expect(votersProblem([0, 2 ** 31 - 1])).toBe(undefined);
    expect(votersProblem([1, 1])).toContain("ascending");
    expect(votersProblem([2, 1])).toContain("ascending");
    expect(votersProblem([-1])).toContain("0 to 2^31 - 1");
    expect(votersProblem([2 ** 31])).toContain("0 to 2^31 - 1");
    expect(votersProblem([1.5])).toContain("integer");
    expect(votersProblem(["1"])).toContain("integer");
  });
});

describe(VoterHistory, () => {
  /** {1} from the start, {1,2} at 5, {1,2,3} at 9. */
  function history(): VoterHistory {
    const voters = new VoterHistory(0, [1]);
    voters.add(5, [1, 2]);
    voters.add(9, [3, 2, 1]);
    return voters;
  }

  it("knows the configuration of every index", () => {
    const voters = history();
    const at = [0, 4, 5, 8, 9, 100].map((index) => voters.at(index));
    expect(at).toEqual([[1], [1], [1, 2], [1, 2], [1, 2, 3], [1, 2, 3]]);
    expect(voters.latest).toEqual({ index: 9, voters: [1, 2, 3] });
  });

  it("takes a configuration back with its entry, but never the first one", () => {
    const voters = history();
    voters.truncateFrom(9);
    expect(voters.latest).toEqual({ index: 5, voters: [1, 2] });
    voters.truncateFrom(1);
    expect(voters.latest).toEqual({ index: 0, voters: [1] });
  });

  it("keeps the configuration of the snapshot when the log is compacted", () => {
    const voters = history();
    voters.compactTo(7);
    expect(voters.at(7)).toEqual([1, 2]);
    voters.truncateFrom(8);
    expect(voters.latest).toEqual({ index: 7, voters: [1, 2] });
    expect(() => voters.at(6)).toThrow("known for every index");
  });

  it("refuses a configuration out of order", () => {
    expect(() => history().add(9, [1])).toThrow("in order");
  });
});
