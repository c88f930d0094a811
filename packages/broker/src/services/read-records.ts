/**
 * Reads for consumers of a compacted log. Compaction leaves headers without records behind, and
 * many of them in a row where many producers came and went. Some clients do not get on from an
 * answer that holds nothing else, and ask for the same offset again for ever; so such a stretch is
 * passed over, like any other gap in the offsets, as long as there is something behind it.
 */
import type { Lease } from "@strandline/platform";
import { batchBytes, nextOffset, recordCount } from "@strandline/record";
import type { Log } from "@strandline/storage";

/** As `Log.read`, from the first batch with a record on, if there is one. */
export async function readRecords(
  log: Log,
  fromOffset: number,
  limits: { readonly bytesMax: number; readonly endOffset: number },
  lease: Lease,
): Promise<Uint8Array[]> {
  const { bytesMax, endOffset } = limits;
  let chunks = await log.read(fromOffset, bytesMax, endOffset, lease);
  while (hasOnlyHeaders(log, chunks)) {
    const next = endOf(chunks.at(-1) as Uint8Array);
    const behind = next < endOffset ? await log.read(next, bytesMax, endOffset, lease) : [];
    // The position must still get to the end, by whatever is there.
    if (behind.length === 0) return chunks;
    chunks = behind;
  }
  return chunks;
}

/** Whether whole batches are there, and no record in any of them. */
export function hasOnlyHeaders(log: Log, chunks: readonly Uint8Array[]): boolean {
  if (!log.hasGaps || chunks.length === 0) return false;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) {
      if (recordCount(chunk, at) > 0) return false;
    }
  }
  return true;
}

function endOf(chunk: Uint8Array): number {
  let end = 0;
  for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) end = nextOffset(chunk, at);
  return end;
}
