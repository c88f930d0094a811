export {
  type AnyApi,
  Api,
  type OutgoingRequestOf,
  type OutgoingResponseOf,
  type RequestOf,
  type ResponseOf,
} from "./api.js";
export * from "./apis/served-apis.js";
export * from "./exchange.js";
export { ZERO_UUID } from "./field-default.js";
export * from "./frame-reader.js";
export * from "./protocol-error.js";
export type { Message, OutgoingMessage } from "./schema.js";
export type { DecodeLimits } from "./wire-reader.js";
export type { Chunks } from "./wire-writer.js";
