/** Makes a codec of the three functions that are generated for each message. */
import type { MessageCodec } from "@strandline/platform";
import { WireReader } from "./wire-reader.js";
import { WireWriter } from "./wire-writer.js";

export interface MessageFunctions<Message> {
  /** Bytes that `write` will write. */
  readonly size: (message: Message) => number;
  readonly write: (message: Message, writer: WireWriter) => void;
  /** Reads up to the reader's end. */
  readonly read: (reader: WireReader) => Message;
}

/**
 * `encode` makes exactly one buffer, `encodePieces` leaves large bytes where they are; `decode`
 * throws a {@link DecodeError} on malformed bytes.
 */
export function messageCodec<Message>(functions: MessageFunctions<Message>): MessageCodec<Message> {
  const { size, write, read } = functions;
  return {
    encode: (message) => {
      const writer = new WireWriter(size(message));
      write(message, writer);
      return writer.finish();
    },
    encodePieces: (message) => {
      const writer = new WireWriter(size(message), true);
      write(message, writer);
      return writer.finishPieces();
    },
    decode: (bytes) => read(new WireReader(bytes)),
  };
}
