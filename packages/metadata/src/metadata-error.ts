/** Metadata that does not fit: malformed JSON, or a record that its image cannot take. */
export class MetadataError extends Error {
  override readonly name = "MetadataError";
}
