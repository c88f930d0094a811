/** Bytes that are not a record batch, or not the records the batch says it holds. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}
