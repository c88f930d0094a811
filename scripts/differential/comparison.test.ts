import { describe, expect, it } from "vitest";
import { differencesBetween, KnownDifferences } from "./comparison.mjs";
import { Normaliser } from "./normalise.mjs";

function step(label: string, body: object) {
  return { label, outcome: { body } };
}

describe("differences between two transcripts", () => {
  it("are the leaves that differ, by what they are about", () => {
    const reference = [step("v1", { topics: [{ name: "a", errorCode: 0 }, { name: "b" }] })];
    const subject = [step("v1", { topics: [{ name: "a", errorCode: 3 }] })];
    expect(differencesBetween("metadata", reference, subject)).toEqual([
      {
        scenario: "metadata",
        label: "v1",
        path: "[0].body.topics.[a].errorCode",
        reference: 0,
        subject: 3,
      },
      {
        scenario: "metadata",
        label: "v1",
        path: "[0].body.topics.[b]",
        reference: { name: "b" },
        subject: undefined,
      },
    ]);
  });

  it("are told of steps that one side never came to", () => {
    expect(differencesBetween("any", [step("last", { errorCode: 0 })], [])).toHaveLength(1);
  });
});

describe("known differences", () => {
  const difference = {
    scenario: "produce",
    label: "v7 odd",
    path: "[0].body.errorCode",
    reference: 2,
    subject: 87,
  };

  it("explain what their patterns and values fit, and nothing else", () => {
    const known = new KnownDifferences([
      { path: "*errorCode", reference: 2, subject: 87, reason: "both refuse, by other names" },
    ]);
    expect(known.reasonFor(difference)).toBe("both refuse, by other names");
    expect(known.reasonFor({ ...difference, subject: 0 })).toBeUndefined();
    expect(known.reasonFor({ ...difference, path: "[0].body.offset" })).toBeUndefined();
    expect(known.unused).toEqual([]);
  });

  it("can say that one side has nothing there", () => {
    const known = new KnownDifferences([{ subject: "<nothing>", reason: "it is not served here" }]);
    expect(known.reasonFor({ ...difference, subject: undefined })).toBeDefined();
    expect(known.reasonFor(difference)).toBeUndefined();
  });

  it("need a reason", () => {
    expect(() => new KnownDifferences([{ path: "*" }])).toThrow("without a reason");
  });
});

describe("a normaliser", () => {
  it("takes out ids, addresses and the run's own names, and keeps what is equal equal", () => {
    const normaliser = new Normaliser("dr1-");
    normaliser.learnTopic("4yB0Jt4tTiGgGRWkkMTnJg", "orders");
    const member = "client-0f8fad5b-d9cb-469f-a165-70867728950e";
    const body = {
      leader: member,
      memberId: member,
      host: "10.0.0.1",
      port: 9_092,
      leaderId: 2,
      controllerId: -1,
      topicId: "4yB0Jt4tTiGgGRWkkMTnJg",
      name: "dr1-orders",
    };
    expect(normaliser.outcome({ body })).toEqual({
      body: {
        leader: "<member 1>",
        memberId: "<member 1>",
        host: "<host>",
        port: "<port>",
        leaderId: "<node>",
        controllerId: -1,
        topicId: "<id of orders>",
        name: "~orders",
      },
    });
  });
});
