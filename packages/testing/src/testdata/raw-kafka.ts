/** One connection that speaks the Kafka protocol message by message, for what no client would send. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type ApiName,
  decodeResponse,
  encodeRequest,
  FrameReader,
  type OutgoingRequestOf,
  type ResponseOf,
  type ServedApis,
} from "@strandline/kafka-protocol";

export class RawKafka {
  readonly #socket: Socket;
  readonly #reader = new FrameReader({ frameBytesMax: 100 * 1024 * 1024 });
  readonly #frames: Uint8Array[] = [];
  readonly #waiting: ((frame: Uint8Array | undefined) => void)[] = [];
  #correlationId = 0;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        const waiter = this.#waiting.shift();
        if (waiter === undefined) this.#frames.push(frame);
        else waiter(frame);
      }
    });
    socket.on("close", () => {
      this.#isClosed = true;
      for (const waiter of this.#waiting.splice(0)) waiter(undefined);
    });
  }

  static async dial(address: string): Promise<RawKafka> {
    const at = address.lastIndexOf(":");
    const socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
    await once(socket, "connect");
    return new RawKafka(socket);
  }

  /** Sends a request, and reads the next answer, which must be its own. */
  async call<Name extends ApiName>(
    name: Name,
    version: number,
    body: OutgoingRequestOf<ServedApis[Name]>,
  ): Promise<ResponseOf<ServedApis[Name]>> {
    return await this.answer(name, version, this.send(name, version, body));
  }

  /** Sends a request. Returns its correlation id. */
  send<Name extends ApiName>(
    name: Name,
    version: number,
    body: OutgoingRequestOf<ServedApis[Name]>,
  ): number {
    this.#correlationId += 1;
    const header = { correlationId: this.#correlationId, clientId: "raw" };
    this.write(Buffer.concat(encodeRequest(name, version, header, body)));
    return this.#correlationId;
  }

  async answer<Name extends ApiName>(
    name: Name,
    version: number,
    expectedId: number,
  ): Promise<ResponseOf<ServedApis[Name]>> {
    const frame = await this.#nextFrame();
    if (frame === undefined) throw new Error("the connection was closed without an answer");
    const { correlationId, body } = decodeResponse(name, version, frame);
    if (correlationId !== expectedId) {
      throw new Error(`answer ${correlationId} came where ${expectedId} was expected`);
    }
    return body;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Resolves when the other side has closed the connection; answers until then are dropped. */
  async untilClosed(): Promise<void> {
    if (this.#isClosed) return;
    await new Promise((resolve) => this.#socket.once("close", resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  async #nextFrame(): Promise<Uint8Array | undefined> {
    const frame = this.#frames.shift();
    if (frame !== undefined || this.#isClosed) return frame;
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
