/** One unary call, seen from the server. */
import { BrokerError, MESSAGE_BYTES_MAX } from "@strandline/model";
import type { RpcRoute } from "@strandline/platform";
import { CLOSING_STATUS, OK_STATUS, statusOf } from "../errors/call-status.js";
import { asBuffer } from "./buffers.js";
import { tooLarge } from "./client-call.js";
import { peerOf, type ServerCallContext, statusOfFailure } from "./server-call.js";

export class ServerUnaryCall {
  readonly #context: ServerCallContext;
  readonly #route: RpcRoute;
  readonly #gone = new AbortController();
  #hasRequest = false;
  #isAnswered = false;

  constructor(context: ServerCallContext, route: RpcRoute) {
    this.#context = context;
    this.#route = route;
  }

  /** Returns false when the caller had gone before: then nothing else will be called. */
  start(): boolean {
    const { call } = this.#context;
    let hasBegun = false;
    call.start({
      onReceiveMetadata: () => {
        hasBegun = true;
        call.startRead();
      },
      onReceiveMessage: (bytes: Buffer) => this.#onRequest(bytes),
      onReceiveHalfClose: () => this.#onHalfClose(),
      onCancel: () => this.#onOver(),
    });
    return hasBegun;
  }

  /** The server stops and waited long enough. */
  shutDown(): void {
    this.#answer(() => this.#context.call.sendStatus(CLOSING_STATUS));
  }

  #onRequest(bytes: Buffer): void {
    this.#hasRequest = true;
    this.#handle(bytes).catch((error: unknown) => this.#refuse(error));
  }

  async #handle(bytes: Buffer): Promise<void> {
    const { call } = this.#context;
    const { method, unary } = this.#route;
    const request = method.request.decode(bytes);
    // `unaryRoute` made the route: method and handler are of the same types.
    const response = (await unary?.(request, peerOf(call), this.#gone.signal)) as never;
    if (this.#isAnswered) return;
    const answer = asBuffer(method.response.encode(response));
    if (answer.length > MESSAGE_BYTES_MAX) throw tooLarge(answer.length);
    this.#answer(() => call.sendMessage(answer, () => call.sendStatus(OK_STATUS)));
  }

  #onHalfClose(): void {
    if (!this.#hasRequest) this.#refuse(new BrokerError("INVALID_REQUEST", "no request came"));
  }

  #refuse(error: unknown): void {
    if (this.#isAnswered) return;
    const status = statusOfFailure(this.#context, error);
    this.#answer(() => this.#context.call.sendStatus(status));
  }

  #answer(send: () => void): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    try {
      send();
    } catch {
      // Even the refusal could not be put into words; the peer still must not wait.
      this.#context.call.sendStatus(statusOf(undefined));
    }
  }

  /** Comes at every call's end, after an answer too. */
  #onOver(): void {
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.#gone.abort();
    }
    this.#context.onOver();
  }
}
