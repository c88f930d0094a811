/** Where things are kept that were fetched or built once: `STRANDLINE_CACHE`, or the user's own. */
import { homedir } from "node:os";
import path from "node:path";

export function cacheDirectory() {
  const { STRANDLINE_CACHE, XDG_CACHE_HOME } = process.env;
  if (STRANDLINE_CACHE) return path.resolve(STRANDLINE_CACHE);
  return path.join(XDG_CACHE_HOME || path.join(homedir(), ".cache"), "strandline");
}
