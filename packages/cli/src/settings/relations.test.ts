import { describe, expect, it } from "vitest";
import { isBroker, relationProblems } from "./relations.js";

function values(given: Record<string, string>) {
  return new Map(
    Object.entries(given).map(([key, value]) => [key, { value, source: `f:${key.length}` }]),
  );
}

const NODE = { "node.id": "2", voters: "1@a:1,2@b:1" };

describe(relationProblems, () => {
  it("finds none in what agrees", () => {
    expect(relationProblems(values(NODE))).toEqual([]);
    expect(relationProblems(values({ ...NODE, "process.roles": "broker, controller" }))).toEqual(
      [],
    );
    expect(
      relationProblems(
        values({ ...NODE, "process.roles": "controller", "controller.only": "true" }),
      ),
    ).toEqual([]);
  });

  it("compares the roles of a node with the voters", () => {
    expect(relationProblems(values({ ...NODE, "process.roles": "broker" }))).toEqual([
      "f:13: process.roles has no controller, but node 2 is among the voters (f:6)",
    ]);
    expect(
      relationProblems(values({ ...NODE, "node.id": "3", "process.roles": "broker,controller" })),
    ).toEqual(["f:13: process.roles has controller, but node 3 is not among the voters (f:6)"]);
    const ordinal = { ...NODE, "node.id": "ordinal", "process.roles": "broker" };
    expect(relationProblems(values(ordinal))).toEqual([]);
  });

  it("does not let a node be a broker and no broker", () => {
    const given = { ...NODE, "process.roles": "broker,controller", "controller.only": "true" };
    expect(relationProblems(values(given))).toEqual([
      "f:15: controller.only, but process.roles has broker (f:13)",
    ]);
  });

  it("keeps the shortest session timeout below the longest", () => {
    const given = {
      "group.min.session.timeout.ms": "7000",
      "group.max.session.timeout.ms": "6000",
    };
    expect(relationProblems(values(given))).toEqual([
      "f:28: group.min.session.timeout.ms is 7000, above group.max.session.timeout.ms, 6000 (f:28)",
    ]);
  });
});

describe("the protection of listeners", () => {
  it("must not be asked for: there is none, and nobody may believe there is", () => {
    const map = { "listener.security.protocol.map": "SSL:PLAINTEXT,IN:PLAINTEXT,OUT:SASL_SSL" };
    expect(relationProblems(values({ ...map, listeners: "SSL://:1,IN://:2" }))).toEqual([]);
    const refusal = "but there is no encryption or authentication yet; only PLAINTEXT is served";
    expect(relationProblems(values({ ...map, listeners: "IN://:1,OUT://:2" }))).toEqual([
      `f:30: listener OUT is to be SASL_SSL, ${refusal}`,
    ]);
    expect(relationProblems(values({ "advertised.listeners": "SSL://a:1" }))).toEqual([
      `f:20: listener SSL is to be protected, ${refusal}`,
    ]);
  });
});

describe(isBroker, () => {
  it("goes by the roles, else by controller.only, else every node is one", () => {
    expect(isBroker(values({}))).toBe(true);
    expect(isBroker(values({ "controller.only": "true" }))).toBe(false);
    expect(isBroker(values({ "process.roles": "controller" }))).toBe(false);
  });
});
