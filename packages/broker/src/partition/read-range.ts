/** Reads committed batches of any replica as they are stored: how a damaged range is repaired. */
import { BrokerError } from "@strandline/model";
import { Lease } from "@strandline/platform";
import type { ReadRangeRequest, ReadRangeResponse } from "@strandline/rpc";
import { readCommitted } from "../services/fetch.js";
import type { Partition } from "./partition.js";

const BYTES_MAX = 1024 * 1024;

export async function readRange(
  partition: Partition | undefined,
  request: ReadRangeRequest,
): Promise<ReadRangeResponse> {
  if (partition === undefined) {
    throw new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", "no replica of it is on this broker");
  }
  const bytesMax = request.bytesMax <= 0 ? BYTES_MAX : Math.min(request.bytesMax, BYTES_MAX);
  const lease = new Lease();
  const chunks = await readCommitted(partition, request.fromOffset, bytesMax, lease);
  const batches = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    batches.set(chunk, at);
    at += chunk.length;
  }
  lease.release();
  return { batches, highWatermark: partition.highWatermark };
}
