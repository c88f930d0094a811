/** Removes everything that the build made. */
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
for (const parent of [join(root, "packages"), join(root, "examples")]) {
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    rmSync(join(parent, entry.name, "dist"), { recursive: true, force: true });
  }
}
