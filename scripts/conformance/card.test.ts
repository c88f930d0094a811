import { describe, expect, it } from "vitest";
import { Card, clientOf } from "./card.mjs";

function cardOf(...rows: [suite: string, test: string, result: string, reason?: string][]): Card {
  const card = new Card();
  for (const [suite, test, result, reason] of rows) card.add({ suite, test, result, reason });
  return card;
}

describe(Card, () => {
  it("reads back what it wrote, commas and quotes included", () => {
    const card = cardOf(
      ["kafkajs 2.2.4", "produce with acks=0", "PASS"],
      ["kcat 1.7.1", "list, describe", "FAIL", 'it said "no", twice'],
    );
    expect(Card.parse(card.text()).rows).toEqual(card.rows);
  });

  it("refuses what is no pass and has no reason", () => {
    expect(() => cardOf(["kcat 1", "list", "SKIP"])).toThrow("needs a reason");
    expect(() => cardOf(["kcat 1", "list", "MAYBE", "who knows"])).toThrow("no result MAYBE");
  });

  it("keeps a reason to one short line", () => {
    const card = cardOf(["kcat 1", "list", "FAIL", `first\n  second ${"x".repeat(400)}`]);
    expect(card.rows[0]?.reason).toMatch(/^first second x+…$/);
    expect(card.rows[0]?.reason.length).toBe(300);
  });

  it("refuses a line with a cell too many", () => {
    expect(() => Card.parse("suite,test,result,reason\na,b,PASS,,\n")).toThrow("no row");
  });

  it("replaces the suites that were run again, whatever version they had", () => {
    const before = cardOf(["kafkajs 2.2.3", "old", "PASS"], ["kcat 1.7.1", "list", "PASS"]);
    const after = before.with(
      cardOf(["kafkajs 2.2.4", "new", "PASS"], ["librdkafka 2.15.1", "0001_multiobj", "PASS"]),
    );
    expect(after.suites).toEqual(["kafkajs 2.2.4", "kcat 1.7.1", "librdkafka 2.15.1"]);
    expect(after.of("kafkajs 2.2.4").map(({ test }) => test)).toEqual(["new"]);
  });

  it("names the client without its version", () => {
    expect(clientOf("@platformatic/kafka 1.35.0")).toBe("@platformatic/kafka");
  });
});
