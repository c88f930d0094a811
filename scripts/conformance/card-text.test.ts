import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Card } from "./card.mjs";
import { CARD_CSV, CARD_TEXT, currentCardText } from "./card-files.mjs";
import { cardText } from "./card-text.mjs";

describe(cardText, () => {
  it("says of each library what it can do, and why not", () => {
    const card = new Card();
    const suite = "kafkajs 2.2.4";
    card.add({ suite, test: "produce with acks=0", result: "PASS" });
    card.add({ suite, test: "seek by time", result: "FAIL", reason: "offset 3 came" });
    const lines = cardText(card, []).split("\n");
    expect(lines).toContain("| produce with acks=0 | yes |");
    expect(lines).toContain("| seek by time | **no** (1) |");
    expect(lines).toContain("1. kafkajs 2.2.4: offset 3 came");
    expect(lines).toContain("| kafkajs 2.2.4 | 1 | 1 | 0 |");
  });

  it("names every test of a suite of somebody else", () => {
    const card = new Card();
    const suite = "librdkafka 2.15.1";
    card.add({ suite, test: "0001_multiobj", result: "PASS" });
    card.add({ suite, test: "0103_transactions", result: "SKIP", reason: "no transactions" });
    const lines = cardText(card, []).split("\n");
    expect(lines).toContain("Passed: `0001_multiobj`.");
    expect(lines).toContain("| `0103_transactions` | skip | no transactions |");
  });

  it("tells a reason for differences once, with all its places", () => {
    const differences = [
      { scenario: "produce", path: "errorMessage", reason: "the words are ours" },
      { scenario: "fetch", path: "errorMessage", reason: "the words are ours" },
    ];
    expect(cardText(new Card(), differences)).toContain(
      "| the words are ours | `produce / errorMessage`, `fetch / errorMessage` |",
    );
  });
});

describe("docs/compatibility.md", () => {
  it("is what its data makes of it; `npm run conformance -- --text` writes it", () => {
    expect(existsSync(CARD_CSV)).toBe(true);
    expect(readFileSync(CARD_TEXT, "utf8")).toBe(currentCardText());
  });
});
