/**
 * Turns what a user sends into what the encoder takes. Text becomes UTF-8 in a scratch buffer that
 * the next record overwrites: the encoder copies at once, so nothing is allocated but two views.
 */
import { BatchEncoder, type RecordHeader, type RecordInput } from "@strandline/record";
import { ClientError } from "../errors.js";
import type { Content, ProducerHeader, ProducerRecord } from "./producer-record.js";

const SCRATCH_BYTES = 64 * 1024;
/** A UTF-16 unit is at most so many bytes of UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

const NO_BYTES = new Uint8Array(0);

/** Written over by every `prepare`. */
interface MutableInput {
  key: Uint8Array | null;
  value: Uint8Array | null;
  timestampMs: number;
  headers: readonly RecordHeader[] | undefined;
}

export class RecordPreparer {
  readonly #encoder = new TextEncoder();
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #input: MutableInput = { key: null, value: null, timestampMs: -1, headers: undefined };
  #scratchUsed = 0;

  /** The record as the encoder takes it; valid until the next call. Throws `INVALID_ARGUMENT`. */
  prepare(record: ProducerRecord, nowMs: number): RecordInput {
    this.#scratchUsed = 0;
    const input = this.#input;
    input.key = this.#bytes(record.key);
    input.value = this.#bytes(record.value);
    input.timestampMs = record.timestampMs ?? nowMs;
    input.headers = record.headers === undefined ? undefined : this.#headers(record.headers);
    if (!Number.isSafeInteger(input.timestampMs) || input.timestampMs < 0) {
      throw new ClientError("INVALID_ARGUMENT", "timestampMs must be a non-negative integer");
    }
    return input;
  }

  #bytes(content: Content | null | undefined): Uint8Array | null {
    if (content === null || content === undefined) return null;
    if (typeof content !== "string") {
      if (content instanceof Uint8Array) return content;
      throw new ClientError("INVALID_ARGUMENT", "keys and values are text, a Uint8Array or null");
    }
    if (content.length === 0) return NO_BYTES;
    const from = this.#scratchUsed;
    if (content.length * UTF8_BYTES_PER_UNIT_MAX > SCRATCH_BYTES - from) {
      return this.#encoder.encode(content);
    }
    const { written } = this.#encoder.encodeInto(content, this.#scratch.subarray(from));
    this.#scratchUsed = from + written;
    return this.#scratch.subarray(from, from + written);
  }

  #headers(headers: NonNullable<ProducerRecord["headers"]>): readonly RecordHeader[] | undefined {
    const list: readonly ProducerHeader[] = isList(headers)
      ? headers
      : Object.entries(headers).map(([key, value]) => ({ key, value }));
    if (list.length === 0) return undefined;
    return list.map(({ key, value }) => ({ key, value: this.#bytes(value) }));
  }
}

/** Room that a prepared record may take, in a batch and in the producer's buffer. Bytes. */
export function inputBytesMax(input: RecordInput): number {
  return BatchEncoder.recordBytesMax(input);
}

function isList(headers: object): headers is readonly ProducerHeader[] {
  return Array.isArray(headers);
}
