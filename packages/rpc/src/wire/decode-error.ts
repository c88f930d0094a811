/** Bytes that are not the message they should be. Nothing of them may be used. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}
