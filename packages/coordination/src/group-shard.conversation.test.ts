import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { play } from "./testdata/rig.js";

const FOLDER = new URL("./testdata/", import.meta.url);
const conversations = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

describe("a conversation with a group", () => {
  // `vitest run packages/coordination -u` writes the files anew; the difference is for a reader.
  it.each(conversations)("goes as written in %s", async (name) => {
    const file = new URL(name, FOLDER);
    const played = play(readFileSync(file, "utf8"));
    await expect(played).toMatchFileSnapshot(file.pathname);
  });
});
