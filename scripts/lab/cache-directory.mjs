/** Where things are kept that were fetched or built once: `LAB_CACHE`, or beside the dependencies. */
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");

export function cacheDirectory() {
  const { LAB_CACHE } = process.env;
  return LAB_CACHE ? path.resolve(LAB_CACHE) : path.join(ROOT, "node_modules/.cache/strandline");
}
