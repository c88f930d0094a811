import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configurationPage } from "./configuration-page.js";
import { BROKER_SETTINGS } from "./kafka-settings.js";

const PAGE = new URL("../../../../docs/configuration.md", import.meta.url);

describe(configurationPage, () => {
  it("is what docs/configuration.md says; `npm run docs` writes it", () => {
    expect(readFileSync(PAGE, "utf8")).toBe(configurationPage());
  });

  it("has every setting there is", () => {
    const page = configurationPage();
    for (const { key } of BROKER_SETTINGS) expect(page).toContain(`\`${key}\``);
  });
});
