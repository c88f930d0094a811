/** What a record of the offsets topic is about: its key, as Kafka writes it. */
import { ByteReader, MalformedError } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

/** First number of a key: which kind of key it is. */
const OFFSET_KEY_LEGACY = 0;
const OFFSET_KEY = 1;
const GROUP_KEY = 2;

export type RecordKey =
  | { readonly kind: "group"; readonly groupId: string }
  | {
      readonly kind: "offset";
      readonly groupId: string;
      readonly topic: string;
      readonly partition: number;
    };

export function groupKey(groupId: string): Uint8Array {
  return new ByteWriter().int16(GROUP_KEY).text(groupId).finish();
}

export function offsetKey(groupId: string, topic: string, partition: number): Uint8Array {
  return new ByteWriter().int16(OFFSET_KEY).text(groupId).text(topic).int32(partition).finish();
}

/** Undefined for a key of another kind. Throws MalformedError. */
export function readKey(key: Uint8Array): RecordKey | undefined {
  const reader = new ByteReader(key);
  const parsed = readKnownKey(reader);
  if (parsed !== undefined && !reader.isAtEnd) throw new MalformedError("a key goes on");
  return parsed;
}

function readKnownKey(reader: ByteReader): RecordKey | undefined {
  switch (reader.int16()) {
    case OFFSET_KEY_LEGACY:
    case OFFSET_KEY:
      return {
        kind: "offset",
        groupId: reader.text(),
        topic: reader.text(),
        partition: reader.int32(),
      };
    case GROUP_KEY:
      return { kind: "group", groupId: reader.text() };
    default:
      return undefined;
  }
}
