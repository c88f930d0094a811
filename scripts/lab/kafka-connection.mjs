/**
 * One connection to a broker, as plain as a socket is: what is sent, and what comes back for it. An
 * outcome is an answer, a connection that was closed, or silence.
 */
import { connect } from "node:net";
import {
  decodeResponse,
  encodeRequest,
  FrameReader,
  SERVED_APIS,
} from "@strandline/kafka-protocol";

const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const ANSWER_MS = 15_000;
export const CLIENT_ID = "differential";

export class KafkaConnection {
  #socket;
  #reader = new FrameReader({ frameBytesMax: FRAME_BYTES_MAX });
  #frames = [];
  #waiting = [];
  #isClosed = false;
  #correlationId = 0;

  static async open({ host, port }) {
    const socket = connect({ host, port, noDelay: true });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new KafkaConnection(socket);
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#reader.push(chunk);
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        this.#frames.push(frame);
      }
      this.#wake();
    });
    const close = () => {
      this.#isClosed = true;
      this.#wake();
    };
    socket.on("close", close);
    // A reset is an end too.
    socket.on("error", close);
  }

  get isClosed() {
    return this.#isClosed;
  }

  /** Sends a request and gives `{ body }`, `{ closed: true }` or `{ silent: true }`. */
  async ask(name, version, body, { clientId = CLIENT_ID, timeoutMs = ANSWER_MS } = {}) {
    this.#correlationId += 1;
    const correlationId = this.#correlationId;
    this.write(Buffer.concat(encodeRequest(name, version, { correlationId, clientId }, body)));
    const frame = await this.frame(timeoutMs);
    if (!(frame instanceof Uint8Array)) {
      // An answer that comes too late would be taken for that of the next request.
      this.close();
      return frame;
    }
    const answer = decodeResponse(name, version, frame);
    if (answer.correlationId !== correlationId) {
      throw new Error(`${name} ${version} was answered out of its turn`);
    }
    return { body: answer.body };
  }

  write(bytes) {
    this.#socket.write(bytes);
  }

  /** The next frame, or how it did not come. */
  async frame(timeoutMs = ANSWER_MS) {
    if (this.#frames.length > 0) return this.#frames.shift();
    if (this.#isClosed) return { closed: true };
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each !== wake);
        resolve({ silent: true });
      }, timeoutMs);
      const wake = () => {
        clearTimeout(timer);
        resolve(this.#frames.length > 0 ? this.#frames.shift() : { closed: true });
      };
      this.#waiting.push(wake);
    });
  }

  close() {
    this.#socket.destroy();
  }

  #wake() {
    while (this.#waiting.length > 0 && (this.#frames.length > 0 || this.#isClosed)) {
      this.#waiting.shift()();
    }
  }
}

/** A frame with its length in front, out of a header of one's own and any bytes. */
export function rawFrame({ key, version, correlationId = 1, clientId = CLIENT_ID, body = [] }) {
  const id = Buffer.from(clientId);
  const header = Buffer.alloc(10);
  header.writeInt16BE(key, 0);
  header.writeInt16BE(version, 2);
  header.writeInt32BE(correlationId, 4);
  header.writeInt16BE(id.length, 8);
  return withLength(Buffer.concat([header, id, Buffer.from(body)]));
}

export function withLength(content) {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** The bytes of a good request, its length in front. */
export function goodFrame(name, version, body) {
  return Buffer.concat(
    encodeRequest(name, version, { correlationId: 1, clientId: CLIENT_ID }, body),
  );
}

/** Versions of an API that our codecs know. */
export function versionsOf(name) {
  const { from, to } = SERVED_APIS[name].versions;
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
