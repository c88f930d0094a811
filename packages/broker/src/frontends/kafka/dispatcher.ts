/**
 * From a decoded request to the pieces of its answer: finds the handler, and encodes what it says.
 * A listener tells clients of exactly the APIs that have one.
 */
import {
  type ApiName,
  advertisedVersions,
  encodeResponse,
  encodeVersionsFallback,
  type Request,
  type RequestFor,
} from "@strandline/kafka-protocol";
import { errorNumber } from "@strandline/model";
import type { KafkaHandler, KafkaHandlers, KafkaProduce, KafkaRequestContext } from "./handler.js";

/** What becomes of a request: pieces to send, undefined for none, or an error that ends it all. */
export type OnAnswered = (error: unknown, pieces: readonly Uint8Array[] | undefined) => void;

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;
/** Since then ApiVersions says which software asks. */
const SOFTWARE_VERSION_MIN = 3;
const NO_ACKS = 0;

export class KafkaDispatcher {
  readonly #handlers: KafkaHandlers;
  readonly #produce: KafkaProduce | undefined;
  readonly #names: readonly ApiName[];

  constructor(handlers: KafkaHandlers, produce: KafkaProduce | undefined) {
    this.#handlers = { ApiVersions: this.#apiVersions, ...handlers };
    this.#produce = produce;
    const names = Object.keys(this.#handlers) as ApiName[];
    this.#names = produce === undefined ? names : [...names, "Produce"];
  }

  /** The APIs that are answered, and so told to clients. */
  get names(): readonly ApiName[] {
    return this.#names;
  }

  /** True for a request that may run beside others of its kind. */
  overlaps(request: Request): boolean {
    return request.name === "Produce";
  }

  /** Calls back exactly once, maybe before it returns. */
  answer(request: Request, context: KafkaRequestContext, onAnswered: OnAnswered): void {
    if (request.name === "UnknownApiVersions") {
      onAnswered(undefined, encodeVersionsFallback(request.correlationId));
      return;
    }
    if (request.name === "Produce") {
      this.#answerProduce(request, context, onAnswered);
      return;
    }
    const handler = this.#handlers[request.name] as KafkaHandler<ApiName> | undefined;
    if (handler === undefined) {
      onAnswered(new Error(`${request.name} is not served`), undefined);
      return;
    }
    const { name, version, correlationId, body } = request;
    handler(body as never, context)
      .then((response) => encodeResponse(name, version, correlationId, response as never))
      .then(
        (pieces) => onAnswered(undefined, pieces),
        (error: unknown) => onAnswered(error, undefined),
      );
  }

  #answerProduce(
    request: RequestFor<"Produce">,
    context: KafkaRequestContext,
    onAnswered: OnAnswered,
  ): void {
    if (this.#produce === undefined) {
      onAnswered(new Error("Produce is not served"), undefined);
      return;
    }
    const { version, correlationId, body } = request;
    this.#produce(body, context, (response) => {
      if (body.acks !== NO_ACKS) {
        onAnswered(undefined, encodeResponse("Produce", version, correlationId, response));
        return;
      }
      // Who asked for no answer learns of a refusal by losing the connection, and looks again.
      const refused = response.responses
        .flatMap(({ name, partitionResponses }) =>
          partitionResponses.map(({ index, errorCode }) => ({ name, index, errorCode })),
        )
        .find(({ errorCode }) => errorCode !== 0);
      if (refused === undefined) onAnswered(undefined, undefined);
      else {
        const { name, index, errorCode } = refused;
        const text = `Produce without acks to ${name}-${index} was refused with ${errorCode}`;
        onAnswered(new Error(text), undefined);
      }
    });
  }

  readonly #apiVersions: KafkaHandler<"ApiVersions"> = async (request, { version }) => {
    const { clientSoftwareName, clientSoftwareVersion } = request;
    if (
      version >= SOFTWARE_VERSION_MIN &&
      !(SOFTWARE_NAME.test(clientSoftwareName) && SOFTWARE_NAME.test(clientSoftwareVersion))
    ) {
      return { errorCode: errorNumber("INVALID_REQUEST"), apiKeys: [] };
    }
    return { errorCode: 0, apiKeys: advertisedVersions(this.#names) };
  };
}
