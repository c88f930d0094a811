/**
 * Puts the .proto files into the package while it is packed; with --clean takes them out again, so
 * that a checkout never has a second copy that could grow old.
 */
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const packageRoot = path.dirname(fileURLToPath(import.meta.url));
const copy = path.join(packageRoot, "proto");

rmSync(copy, { recursive: true, force: true });
if (!process.argv.includes("--clean")) {
  cpSync(path.join(packageRoot, "../../proto"), copy, { recursive: true });
}
