/** The files of the report card, and the text that is made of the data. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Card } from "./card.mjs";
import { cardText } from "./card-text.mjs";

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const CARD_CSV = path.join(ROOT, "docs/compatibility.csv");
export const CARD_TEXT = path.join(ROOT, "docs/compatibility.md");
/** What the comparison with the reference found and left, with the reasons. */
const DIFFERENCES = path.join(ROOT, "scripts/differential/differences.json");

/** The text that belongs to the data as it is now. */
export function currentCardText() {
  const card = Card.parse(readFileSync(CARD_CSV, "utf8"));
  const differences = existsSync(DIFFERENCES) ? JSON.parse(readFileSync(DIFFERENCES, "utf8")) : [];
  return cardText(card, differences);
}

export function writeCardText() {
  writeFileSync(CARD_TEXT, currentCardText());
}
