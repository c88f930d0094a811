/** Asks whoever answers at an address, as a Kafka client does, which cluster and which broker it is. */
import type { Socket } from "node:net";
import {
  type ApiName,
  decodeResponse,
  encodeRequest,
  FrameReader,
  type OutgoingRequestOf,
  ProtocolError,
  type ResponseOf,
  SERVED_APIS,
  type ServedApis,
} from "@strandline/kafka-protocol";
import type { HostPort } from "@strandline/server";
import { dial, type Unreached } from "./reach.js";

export interface KafkaAnswer {
  readonly kind: "kafka";
  readonly clusterId: string;
  /** What this client is told: every broker and its address. */
  readonly brokers: readonly (HostPort & { readonly nodeId: number })[];
  /** Whether it is the broker that was expected; undefined: it cannot be told. */
  readonly isExpected: boolean | undefined;
}

/** Somebody answers, but not as a broker does. */
export interface OtherProtocol {
  readonly kind: "other-protocol";
  readonly reason: string;
}

const FRAME_BYTES_MAX = 8 * 1024 * 1024;
const RESOURCE_BROKER = 4;
const NONE = 0;

/** `expectedId`: the broker that should be there. */
export async function kafkaProbe(
  address: HostPort,
  timeoutMs: number,
  expectedId?: number,
): Promise<KafkaAnswer | OtherProtocol | Unreached> {
  const dialled = await dial(address, timeoutMs);
  if (dialled.kind !== "open") return dialled;
  const exchange = new Exchange(dialled.socket, timeoutMs);
  try {
    return await talk(exchange, expectedId);
  } catch (error) {
    const detail = error instanceof ProtocolError ? "" : `: ${(error as Error).message}`;
    return { kind: "other-protocol", reason: `does not speak the Kafka protocol${detail}` };
  } finally {
    dialled.socket.destroy();
  }
}

async function talk(exchange: Exchange, expectedId: number | undefined): Promise<KafkaAnswer> {
  const { apiKeys } = await exchange.ask("ApiVersions", 0, {});
  const versionOf = (name: ApiName): number => {
    const served = apiKeys.find(({ apiKey }) => apiKey === SERVED_APIS[name].key);
    return Math.min(served?.maxVersion ?? -1, SERVED_APIS[name].versions.to);
  };
  const metadata = await exchange.ask("Metadata", versionOf("Metadata"), {
    topics: [],
    allowAutoTopicCreation: false,
  });
  return {
    kind: "kafka",
    clusterId: metadata.clusterId ?? "",
    brokers: metadata.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
    isExpected: await isBroker(exchange, versionOf("DescribeConfigs"), expectedId),
  };
}

/** A broker describes its own settings, and no other broker's. */
async function isBroker(
  exchange: Exchange,
  version: number,
  id: number | undefined,
): Promise<boolean | undefined> {
  if (id === undefined || version < 1) return undefined;
  const { results } = await exchange.ask("DescribeConfigs", version, {
    resources: [
      {
        resourceType: RESOURCE_BROKER,
        resourceName: String(id),
        configurationKeys: ["node.id"],
      },
    ],
    includeSynonyms: false,
    includeDocumentation: false,
  });
  return results[0]?.errorCode === NONE;
}

/** One question at a time over one connection. */
class Exchange {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #frames = new FrameReader({ frameBytesMax: FRAME_BYTES_MAX });
  #correlationId = 0;

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
  }

  async ask<Name extends ApiName>(
    name: Name,
    version: number,
    body: OutgoingRequestOf<ServedApis[Name]>,
  ): Promise<ResponseOf<ServedApis[Name]>> {
    this.#correlationId += 1;
    const header = { correlationId: this.#correlationId, clientId: "strandline-doctor" };
    for (const piece of encodeRequest(name, version, header, body)) this.#socket.write(piece);
    const response = decodeResponse(name, version, await this.#frame());
    if (response.correlationId !== this.#correlationId) {
      throw new ProtocolError("malformed", "the answer is to another question");
    }
    return response.body;
  }

  async #frame(): Promise<Uint8Array> {
    return await new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#socket.removeAllListeners("data").removeAllListeners("close");
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error("no answer came"));
      }, this.#timeoutMs);
      this.#socket.on("close", () => {
        settle();
        reject(new Error("it closed the connection"));
      });
      this.#socket.on("data", (chunk: Uint8Array) => {
        try {
          this.#frames.push(chunk);
          const frame = this.#frames.next();
          if (frame === undefined) return;
          settle();
          resolve(frame);
        } catch (error) {
          settle();
          reject(error as Error);
        }
      });
    });
  }
}
