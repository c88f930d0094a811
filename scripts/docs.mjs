/** Writes the pages under docs/ that are made from the program's own tables. A test compares them. */
import { writeFileSync } from "node:fs";
import { configurationPage } from "../packages/cli/dist/settings/configuration-page.js";

writeFileSync(new URL("../docs/configuration.md", import.meta.url), configurationPage());
