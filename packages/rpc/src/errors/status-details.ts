/**
 * The trailer `grpc-status-details-bin`: google.rpc.Status { int32 code = 1; string message = 2;
 * repeated google.protobuf.Any details = 3 }, with one Any { string type_url = 1; bytes value = 2 }
 * that holds a strandline.v1.Error. Clients of any language find it with their gRPC's own helpers.
 */
import { type ErrorDetail, errorDetailCodec } from "../generated/error.js";
import { WireReader } from "../wire/wire-reader.js";
import { sizeOfBytes, sizeOfInt32, sizeOfString, WireWriter } from "../wire/wire-writer.js";

export const STATUS_DETAILS_KEY = "grpc-status-details-bin";
const ERROR_TYPE_URL = "type.googleapis.com/strandline.v1.Error";
const NUMBER_1 = 8;
const DELIMITED_1 = 10;
const DELIMITED_2 = 18;
const DELIMITED_3 = 26;

export function encodeStatusDetails(code: number, detail: ErrorDetail): Buffer {
  const any = encodeAny(errorDetailCodec.encode(detail));
  const { message } = detail;
  const size = 3 + sizeOfInt32(code) + sizeOfString(message) + sizeOfBytes(any);
  const writer = new WireWriter(size);
  writer.varint(NUMBER_1);
  writer.int32(code);
  writer.varint(DELIMITED_2);
  writer.string(message);
  writer.varint(DELIMITED_3);
  writer.bytes(any);
  return writer.finish();
}

/** The first strandline.v1.Error among the details. Throws a DecodeError on malformed bytes. */
export function decodeStatusDetails(bytes: Uint8Array): ErrorDetail | undefined {
  const reader = new WireReader(bytes);
  let detail: ErrorDetail | undefined;
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === DELIMITED_3 && detail === undefined) {
      const outerEnd = reader.enter();
      detail = readAny(reader);
      reader.leave(outerEnd);
    } else {
      reader.skip(tag);
    }
  }
  return detail;
}

function encodeAny(value: Uint8Array): Buffer {
  const writer = new WireWriter(2 + sizeOfString(ERROR_TYPE_URL) + sizeOfBytes(value));
  writer.varint(DELIMITED_1);
  writer.string(ERROR_TYPE_URL);
  writer.varint(DELIMITED_2);
  writer.bytes(value);
  return writer.finish();
}

function readAny(reader: WireReader): ErrorDetail | undefined {
  let typeUrl = "";
  let value: Uint8Array | undefined;
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === DELIMITED_1) typeUrl = reader.string();
    else if (tag === DELIMITED_2) value = reader.bytes();
    else reader.skip(tag);
  }
  // An Error with nothing set is no bytes at all.
  return typeUrl === ERROR_TYPE_URL
    ? errorDetailCodec.decode(value ?? new Uint8Array(0))
    : undefined;
}
