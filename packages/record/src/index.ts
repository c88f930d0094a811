export {
  batchesIn,
  type DecodedRecord,
  type DecodeOptions,
  decodeBatch,
  producedRecordsProblem,
} from "./batch-decoder.js";
export * from "./batch-encoder.js";
export * from "./batch-header.js";
export { BATCH_HEADER_BYTES } from "./batch-layout.js";
export * from "./batch-problem.js";
export * from "./batch-view.js";
export * from "./cleaned-batch.js";
export * from "./compression.js";
export * from "./murmur2.js";
export * from "./recompressed-batch.js";
export * from "./record-cursor.js";
export * from "./record-error.js";
export * from "./utf8.js";
export * from "./varint.js";
export { decodeXerial, encodeXerial, isXerial } from "./xerial.js";
