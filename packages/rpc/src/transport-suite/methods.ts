/** Methods and recorders that the suite's tests speak with. */
import {
  type MessageCodec,
  type RpcMethod,
  type RpcReceiver,
  type RpcStream,
  TransportError,
} from "@strandline/platform";
import { DecodeError } from "../wire/decode-error.js";

/** First byte of a message that {@link bytesCodec} cannot decode. */
export const MALFORMED = 0xff;

/** Bytes as they are. */
const bytesCodec: MessageCodec<Uint8Array> = {
  encode: (message) => message,
  decode: (bytes) => {
    if (bytes[0] === MALFORMED) throw new DecodeError("the message begins with the wrong byte");
    return bytes;
  },
};

export type BytesMethod = RpcMethod<Uint8Array, Uint8Array>;

function method(name: string, kind: BytesMethod["kind"]): BytesMethod {
  return { path: `/test.Suite/${name}`, kind, request: bytesCodec, response: bytesCodec };
}

export const askMethod: BytesMethod = method("Ask", "unary");
export const listMethod: BytesMethod = method("List", "server-stream");
export const talkMethod: BytesMethod = method("Talk", "bidi");

/** A message that tells which one it is, and of any size from 4 bytes. */
export function numbered(number: number, sizeBytes = 4): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}

/** A receiver that keeps what it is told. */
export class Recorder implements RpcReceiver<Uint8Array> {
  readonly messages: Uint8Array[] = [];
  readonly ends: (Error | undefined)[] = [];
  drains = 0;
  /** Calls that came after the last one there may be. */
  late = 0;

  onMessage(message: Uint8Array): void {
    if (this.hasEnded) this.late += 1;
    this.messages.push(message);
  }

  onDrain(): void {
    if (this.hasEnded) this.late += 1;
    this.drains += 1;
  }

  onEnd(error: Error | undefined): void {
    if (this.hasEnded) this.late += 1;
    this.ends.push(error);
  }

  get hasEnded(): boolean {
    return this.ends.length > 0;
  }

  get numbers(): number[] {
    return this.messages.map(numberOf);
  }

  /** Why it ended, when that was a transport error. */
  get reason(): string | undefined {
    const [error] = this.ends;
    return error instanceof TransportError ? error.reason : undefined;
  }
}

/** The server's side of a stream: what it received, and how to answer. */
export interface Served {
  readonly stream: RpcStream<Uint8Array>;
  readonly recorder: Recorder;
}
