/** Record batches as producers make them, and the target that checks what they send. */
import { crc32c, nodeCompressors } from "@strandline/platform";
import {
  BatchEncoder,
  batchesIn,
  batchProblem,
  COMPRESSION_NAMES,
  compressionOf,
  decodeBatch,
  producedBatchProblem,
  producedRecordsProblem,
  RecordError,
} from "@strandline/record";
import { makeBytes } from "./message-maker.mjs";
import { mutated } from "./mutation.mjs";

const compression = compressionOf(nodeCompressors);
/** A batch that is compressed unpacks to this at most, which is not a matter of its own size. */
const UNPACKED_BYTES_MAX = 256 * 1024;
const CRC_AT = 17;
const CRC_FROM = 21;
const CORPUS = 200;

export function makeBatch(random) {
  const encoder = new BatchEncoder({ initialBytes: 512 });
  const timestampMs = random.below(4) === 0 ? -1 : 1_700_000_000_000 + random.below(1_000_000);
  const count =
    random.below(12) === 0 ? Math.floor(random.logarithmic(4, 300)) : 1 + random.below(4);
  for (let at = 0; at < count; at += 1) {
    encoder.append({
      key: random.below(3) === 0 ? null : makeBytes(random.below(12), random),
      value: random.below(6) === 0 ? null : makeBytes(random.below(60), random),
      timestampMs,
      headers: Array.from({ length: random.below(3) }, (_, index) => ({
        key: `h${index}`,
        value: random.below(3) === 0 ? null : makeBytes(random.below(6), random),
      })),
    });
  }
  const name = COMPRESSION_NAMES[random.below(3) > 0 ? 0 : random.below(COMPRESSION_NAMES.length)];
  const producer = random.below(2) === 0 ? {} : producerFields(random);
  return encoder.finish({ crc32c, ...producer, compression: compression.compressor(name) });
}

function producerFields(random) {
  return {
    producerId: random.below(1_000),
    producerEpoch: random.below(3),
    baseSequence: random.below(2) === 0 ? 0 : 2_147_483_647 - random.below(3),
    isTransactional: random.below(8) === 0,
  };
}

export class BatchTarget {
  name = "batches";
  mark = "batches";
  #corpus;

  constructor(random) {
    this.#corpus = Array.from({ length: CORPUS }, () => makeBatch(random));
  }

  input(random) {
    const other = () => this.#corpus[random.below(CORPUS)];
    const bytes = mutated(other(), random, { other });
    // With a checksum that is right, what comes after it is reached.
    if (random.below(4) > 0 && bytes.length > CRC_FROM) return withCrc(bytes);
    return bytes;
  }

  /** The broker's checks of a produced batch, a follower's, and a reader's walk. */
  run(bytes) {
    const refusal = producedBatchProblem(bytes, crc32c);
    const stored = batchProblem(bytes, 0, bytes.length, crc32c);
    if (refusal === undefined && stored !== undefined) {
      throw new Error(`a leader takes what a follower refuses: ${stored.message}`);
    }
    if (stored !== undefined) {
      walk(bytes);
      return refusal.code;
    }
    const isPacked = (bytes[22] & 7) !== 0;
    // To unpack is a matter of its own, with a bound of its own: see `UnpackTarget`.
    if (isPacked) return refusal?.code ?? "packed";
    if (refusal !== undefined) {
      read(bytes);
      return refusal.code;
    }
    const inner = producedRecordsProblem(bytes, { outputBytesMax: UNPACKED_BYTES_MAX });
    const isRead = read(bytes);
    if (inner === undefined && !isRead) throw new Error("accepted records cannot be read");
    return inner?.code ?? "accepted";
  }
}

/** Batches that are unpacked: their memory has a bound, whatever their size. */
export class UnpackTarget {
  name = "unpacking";
  mark = "unpacking";
  outputBytesMax = UNPACKED_BYTES_MAX;
  #corpus;

  constructor(random) {
    this.#corpus = [];
    while (this.#corpus.length < CORPUS) {
      const batch = makeBatch(random);
      if ((batch[22] & 7) !== 0) this.#corpus.push(batch);
    }
  }

  input(random) {
    const other = () => this.#corpus[random.below(CORPUS)];
    const bytes = mutated(other(), random, { kept: CRC_FROM, other });
    return bytes.length > CRC_FROM ? withCrc(bytes) : bytes;
  }

  run(bytes) {
    if (batchProblem(bytes, 0, bytes.length, crc32c) !== undefined) return "refused";
    return read(bytes) ? "accepted" : "unreadable";
  }
}

function withCrc(bytes) {
  const result = bytes.slice();
  // Its length too, or most batches would end there.
  const view = new DataView(result.buffer);
  view.setInt32(8, result.length - 12);
  view.setUint32(CRC_AT, crc32c(result.subarray(CRC_FROM)));
  return result;
}

function walk(bytes) {
  try {
    for (const _ of batchesIn(bytes));
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
  }
}

/** Whether all records can be read. */
function read(bytes) {
  const options = { decompress: compression.decompress, outputBytesMax: UNPACKED_BYTES_MAX };
  try {
    for (const _ of decodeBatch(bytes, 0, options));
    return true;
  } catch (error) {
    if (error instanceof RecordError) return false;
    throw error;
  }
}
