/** Batches that a client of the Kafka protocol sends, and the answer to one of them. */
import { crc32c, nodeCompressors } from "@strandline/platform";
import { BatchEncoder, compressionOf } from "@strandline/record";
import type { RawKafka } from "../raw-kafka.js";

export interface BatchOptions {
  readonly values?: readonly string[];
  readonly timestampMs?: number;
  readonly codec?: "gzip" | "zstd";
  readonly producerId?: number;
  readonly baseSequence?: number;
}

export function batch(options: BatchOptions = {}): Uint8Array {
  const encoder = new BatchEncoder();
  const { timestampMs = Date.now(), codec } = options;
  // Where compressing saves nothing, a batch stays as it is.
  const { values = [codec === undefined ? "v" : "v".repeat(1_000)] } = options;
  for (const value of values) {
    encoder.append({ key: null, value: Buffer.from(value), timestampMs, headers: [] });
  }
  const { compress } = compressionOf(nodeCompressors);
  const producer =
    options.producerId === undefined
      ? {}
      : {
          producerId: options.producerId,
          producerEpoch: 0,
          baseSequence: options.baseSequence ?? 0,
        };
  return encoder
    .finish({
      crc32c,
      ...producer,
      ...(codec === undefined
        ? {}
        : { compression: { name: codec, compress: (bytes) => compress(codec, bytes) } }),
    })
    .slice();
}

export async function produce(
  raw: RawKafka,
  topic: string,
  records: Uint8Array | null,
  options: { version?: number; acks?: number; partition?: number; id?: string } = {},
) {
  const { version = 9, acks = -1, partition = 0, id = null } = options;
  const { responses, nodeEndpoints } = await raw.call("Produce", version, {
    transactionalId: id,
    acks,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  });
  const answer = responses[0]?.partitionResponses[0];
  if (answer === undefined) throw new Error("no answer for the partition");
  return { ...answer, nodeEndpoints };
}
