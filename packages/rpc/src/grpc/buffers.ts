/** grpc-js wants Buffers; the codecs already make them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What stands for a message's bytes on the way through grpc-js, in both directions. */
export function identity(bytes: Buffer): Buffer {
  return bytes;
}
