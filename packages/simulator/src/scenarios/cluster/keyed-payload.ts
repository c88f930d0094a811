/**
 * Records of the cluster scenario: each has a payload like no other, which the checkers know it by.
 * In a compacted topic the payload names the record's key as well, and a tombstone, which has no
 * value to hold it, has it in a header.
 */
import type { DecodedRecord } from "@strandline/record";

const PAYLOAD_HEADER = "payload";
const KEYED = /^key-\d+ /;

/** What a producer sends. */
export interface PayloadRecord {
  readonly key?: string;
  readonly value: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The key of a record in a compacted topic, by its payload; undefined in any other. */
export function keyOf(payload: string): string | undefined {
  return KEYED.exec(payload)?.[0].trimEnd();
}

export function plainRecord(payload: string): PayloadRecord {
  return { value: payload };
}

/** Of a key that `payload` begins with: "key-7 …". */
export function keyedRecord(payload: string, isTombstone: boolean): PayloadRecord {
  const key = keyOf(payload) ?? "";
  if (!isTombstone) return { key, value: payload };
  return { key, value: null, headers: { [PAYLOAD_HEADER]: payload } };
}

export function payloadOf(record: Pick<DecodedRecord, "value" | "headers">): string {
  const header = record.headers.find(({ key }) => key === PAYLOAD_HEADER);
  return Buffer.from(header?.value ?? record.value ?? []).toString();
}
