/** Compression small enough to be read: raw snappy by its definition, and runs of bytes. */
import type { Compressor, Compressors } from "../compression.js";
import { RecordError } from "../record-error.js";

/** Snappy: literals, and copies of 2 to 4 byte tags. Compresses runs of one byte only. */
export const toySnappy: Compressor = {
  compress(input) {
    const output = [...uvarint(input.length)];
    for (let from = 0; from < input.length; ) {
      let run = 1;
      while (run < 65 && input[from + run] === input[from]) run++;
      output.push(0, input[from] as number);
      // A copy of up to 64 bytes from one byte back.
      if (run > 1) output.push(((run - 2) << 2) | 2, 1, 0);
      from += run;
    }
    return Uint8Array.from(output);
  },
  decompress(input, outputBytesMax) {
    let at = 0;
    let declared = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = input[at++] ?? fail();
      declared += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (declared > outputBytesMax) throw new RangeError("past the bound");
    const output: number[] = [];
    while (at < input.length) {
      const tag = input[at++] as number;
      if ((tag & 3) === 0) {
        let length = (tag >> 2) + 1;
        if (length === 61) length = (input[at++] ?? fail()) + 1;
        for (let index = 0; index < length; index++) output.push(input[at++] ?? fail());
        continue;
      }
      const isShort = (tag & 3) === 1;
      const length = isShort ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      const distance = isShort
        ? ((tag >> 5) << 8) | (input[at++] ?? fail())
        : (input[at++] ?? fail()) | ((input[at++] ?? fail()) << 8);
      for (let index = 0; index < length; index++) {
        output.push(output[output.length - distance] ?? fail());
      }
    }
    if (output.length !== declared) fail();
    return Uint8Array.from(output);
  },
};

/** Pairs of a count and a byte, behind a byte that tells one format from the other. */
function toyRuns(mark: number): Compressor {
  return {
    compress(input) {
      const output = [mark];
      for (let from = 0; from < input.length; ) {
        let run = 1;
        while (run < 255 && input[from + run] === input[from]) run++;
        output.push(run, input[from] as number);
        from += run;
      }
      return Uint8Array.from(output);
    },
    decompress(input, outputBytesMax) {
      if (input[0] !== mark || input.length % 2 !== 1) fail();
      const output: number[] = [];
      for (let at = 1; at < input.length; at += 2) {
        for (let count = input[at] as number; count > 0; count--) {
          output.push(input[at + 1] as number);
        }
        if (output.length > outputBytesMax) throw new RangeError("past the bound");
      }
      return Uint8Array.from(output);
    },
  };
}

export const toyCompressors: Compressors = {
  gzip: toyRuns(1),
  snappy: toySnappy,
  lz4: toyRuns(3),
  zstd: toyRuns(4),
};

function uvarint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...uvarint(value >>> 7)];
}

function fail(): never {
  throw new RecordError("malformed");
}
