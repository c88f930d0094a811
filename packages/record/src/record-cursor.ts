/**
 * Walks the uncompressed records of a batch without allocating: the fields of one record at a
 * time, as positions in the bytes. Every read stays within the given bounds, and counts that the
 * bytes declare are never believed further than the bytes go.
 */
import { RecordError } from "./record-error.js";
import { readUtf8 } from "./utf8.js";
import { VarintReader } from "./varint.js";

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Shared by all records without headers; never changed. */
const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);

export class RecordCursor {
  /** What its positions are in. */
  readonly bytes: Uint8Array;
  readonly #reader: VarintReader;

  /** Offset relative to the batch's base offset. */
  offsetDelta = 0;
  /** Timestamp relative to the batch's base timestamp. Milliseconds. */
  timestampDeltaMs = 0;
  /** Length of the key; -1 for null. */
  keyBytes = -1;
  /** Length of the value; -1 for null. */
  valueBytes = -1;
  headerCount = 0;
  /** Where the current record begins, where it goes on behind its timestamp, and where it ends. */
  startsAt = 0;
  offsetDeltaAt = 0;
  endsAt = 0;
  #keyAt = 0;
  #valueAt = 0;
  #headersAt = 0;

  /** Records are within `[from, end)` of `bytes`, of which the cursor keeps a reference. */
  constructor(bytes: Uint8Array, from: number, end: number) {
    this.bytes = bytes;
    this.#reader = new VarintReader(bytes, from, end);
  }

  /** Bytes after the current record. */
  get remainingBytes(): number {
    return this.#reader.end - this.#reader.position;
  }

  /** Moves to the next record. Throws {@link RecordError} when there is no well-formed one. */
  next(): void {
    const reader = this.#reader;
    this.startsAt = reader.position;
    const sizeBytes = reader.varint();
    if (sizeBytes < 0 || sizeBytes > reader.end - reader.position) {
      throw new RecordError("the data ends inside a record");
    }
    const end = reader.position + sizeBytes;
    // The record's attributes: no bit of them is in use.
    reader.position++;
    this.timestampDeltaMs = reader.varlong();
    this.offsetDeltaAt = reader.position;
    this.offsetDelta = reader.varint();
    this.keyBytes = this.#field(end);
    this.#keyAt = reader.position - Math.max(this.keyBytes, 0);
    this.valueBytes = this.#field(end);
    this.#valueAt = reader.position - Math.max(this.valueBytes, 0);
    this.headerCount = reader.varint();
    if (this.headerCount < 0) throw new RecordError("a record has a negative header count");
    this.#headersAt = reader.position;
    for (let index = 0; index < this.headerCount; index++) {
      if (this.#field(end) < 0) throw new RecordError("a header has no key");
      this.#field(end);
    }
    if (reader.position !== end) throw new RecordError("a record's length is not its content's");
    this.endsAt = end;
  }

  /** Steps over a length and so many bytes; returns the length, -1 for null. */
  #field(end: number): number {
    const reader = this.#reader;
    const length = reader.varint();
    if (length < -1) throw new RecordError("a record holds a negative length");
    if (length > end - reader.position) throw new RecordError("a field ends outside its record");
    if (length > 0) reader.position += length;
    return length;
  }

  /** The current record's key, as a view. */
  key(): Uint8Array | null {
    return this.#view(this.#keyAt, this.keyBytes);
  }

  /** The current record's value, as a view. */
  value(): Uint8Array | null {
    return this.#view(this.#valueAt, this.valueBytes);
  }

  /** The current record's headers; their values are views. */
  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return NO_HEADERS;
    const reader = new VarintReader(this.bytes, this.#headersAt, this.#reader.position);
    const headers: RecordHeader[] = [];
    for (let index = 0; index < this.headerCount; index++) {
      const keyBytes = reader.varint();
      const key = readUtf8(this.bytes, reader.position, reader.position + keyBytes);
      reader.position += keyBytes;
      const valueBytes = reader.varint();
      headers.push({ key, value: this.#view(reader.position, valueBytes) });
      if (valueBytes > 0) reader.position += valueBytes;
    }
    return headers;
  }

  #view(at: number, length: number): Uint8Array | null {
    return length < 0 ? null : this.bytes.subarray(at, at + length);
  }
}
