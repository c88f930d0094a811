/**
 * Directories of what is fetched or built once: under `LAB_CACHE`, or beside the dependencies. Nothing
 * of it becomes a part of this project.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** Resolves with the directory of that name, which `make` fills when it is not there yet. */
export async function cached(name, make) {
  const { LAB_CACHE } = process.env;
  const cache = LAB_CACHE
    ? path.resolve(LAB_CACHE)
    : path.join(ROOT, "node_modules/.cache/strandline");
  const directory = path.join(cache, name);
  if (existsSync(directory)) return directory;
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await make(partial);
  // Whole or not at all: what was interrupted is made again.
  renameSync(partial, directory);
  return directory;
}
