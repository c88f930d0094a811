/** What the offsets topic keeps of a commit, as Kafka writes it. */
import { ByteReader, MalformedError } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

/** The only version that can say when the offset expires. */
const VERSION_WITH_EXPIRY = 1;
const VERSION_WRITTEN = 3;

export interface OffsetValue {
  readonly offset: number;
  /** -1 when the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly committedAtMs: number;
  /** Set by old clients alone: it takes the place of the broker's retention. */
  readonly expiresAtMs: number | undefined;
}

export function writeOffsetValue(value: OffsetValue): Uint8Array {
  const writer = new ByteWriter();
  if (value.expiresAtMs !== undefined) {
    writer.int16(VERSION_WITH_EXPIRY).int64(value.offset).text(value.metadata);
    return writer.int64(value.committedAtMs).int64(value.expiresAtMs).finish();
  }
  writer.int16(VERSION_WRITTEN).int64(value.offset).int32(value.leaderEpoch);
  return writer.text(value.metadata).int64(value.committedAtMs).finish();
}

/** Reads version 0 to 3. Throws MalformedError. */
export function readOffsetValue(bytes: Uint8Array): OffsetValue {
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  if (version < 0 || version > VERSION_WRITTEN) {
    throw new MalformedError(`an offset of version ${version}`);
  }
  const offset = reader.int64();
  const leaderEpoch = version >= 3 ? reader.int32() : -1;
  const metadata = reader.text();
  const committedAtMs = reader.int64();
  const expiresAtMs = version === VERSION_WITH_EXPIRY ? reader.int64() : -1;
  return {
    offset,
    leaderEpoch,
    metadata,
    committedAtMs,
    expiresAtMs: expiresAtMs < 0 ? undefined : expiresAtMs,
  };
}
