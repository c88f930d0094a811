/** Where things are kept that were fetched or built once: `LAB_CACHE`, or the user's own. */
import { homedir } from "node:os";
import path from "node:path";

export function cacheDirectory() {
  const { LAB_CACHE, XDG_CACHE_HOME } = process.env;
  if (LAB_CACHE) return path.resolve(LAB_CACHE);
  return path.join(XDG_CACHE_HOME || path.join(homedir(), ".cache"), "strandline");
}
