/** What the disk alone takes. */
import { syncMs } from "../sync-probe.mjs";

export async function disk(bench) {
  const ms = await syncMs(bench.workspace.path("probe"));
  bench.figure("fdatasync_ms", ms, { of: "4 KiB, median" });
}
