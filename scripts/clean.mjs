/** Removes everything that the build made. */
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = join(dirname(fileURLToPath(import.meta.url)), "..", "packages");
for (const name of readdirSync(packages)) {
  rmSync(join(packages, name, "dist"), { recursive: true, force: true });
}
