/**
 * The services, straight from the .proto files. The loader knows no types: those written here are
 * the part of the messages that these programs use.
 */
import { fileURLToPath } from "node:url";
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";

export interface Header {
  readonly key: string;
  /** Absent means null, here and in a record; an empty buffer is not null. */
  readonly value?: Buffer;
}

export interface Record {
  readonly offset?: number;
  readonly key?: Buffer;
  readonly value?: Buffer;
  readonly headers: readonly Header[];
}

/** strandline.v1.Error: why a request was refused. */
export interface Refusal {
  /** Name in the Kafka protocol's error table. */
  readonly code: string;
  readonly message: string;
  readonly retriable: boolean;
}

export interface ProduceRequest {
  readonly correlationId: number;
  readonly topic: string;
  readonly records: readonly Record[];
}

export interface ProduceResponse {
  readonly correlationId: number;
  readonly error: Refusal | null;
  readonly positions: readonly {
    readonly partition: number;
    readonly offset: number;
    readonly error: Refusal | null;
  }[];
}

export interface ConsumeRequest {
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly start: { readonly earliest: true } | { readonly offset: number };
  }[];
  readonly stopAtEnd: boolean;
}

export interface ConsumeResponse {
  readonly partition: number;
  readonly nextOffset: number;
  readonly records: readonly Record[];
  readonly error: Refusal | null;
}

export interface TopicDescription {
  readonly partitions: readonly { readonly partition: number }[];
}

export interface LogClient {
  produceStream(): ClientDuplexStream<ProduceRequest, ProduceResponse>;
  consume(request: ConsumeRequest): ClientReadableStream<ConsumeResponse>;
  close(): void;
}

export interface AdminClient {
  describeTopic(
    request: { readonly name: string },
    options: { readonly deadline: number },
    onAnswer: (error: ServiceError | null, topic: TopicDescription) => void,
  ): void;
  close(): void;
}

const directory = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const definition = loadSync(
  ["strandline/v1/log.proto", "strandline/v1/admin.proto", "google/rpc/status.proto"],
  {
    includeDirs: [directory("../../../proto"), directory("../proto")],
    // Fields that are not `optional` are there even if they hold 0, "" or nothing.
    defaults: true,
    // int64 as number. No broker gives out an offset above 2^53; take String to be sure.
    longs: Number,
    enums: String,
    // Decodes google.protobuf.Any, which the details of an error are.
    json: true,
  },
);

const { strandline } = loadPackageDefinition(definition) as unknown as {
  readonly strandline: { readonly v1: GrpcObject };
};

const OPTIONS = {
  // A broker that hangs keeps its connection: only a ping without answer tells.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  // The default of 4 MiB is less than an answer may hold: one batch, however large, comes whole.
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
};

export function logClient(address: string): LogClient {
  return clientOf<LogClient>("Log", address);
}

export function adminClient(address: string): AdminClient {
  return clientOf<AdminClient>("Admin", address);
}

function clientOf<Client>(service: string, address: string): Client {
  const Constructor = strandline.v1[service] as ServiceClientConstructor;
  return new Constructor(address, credentials.createInsecure(), OPTIONS) as unknown as Client;
}

/**
 * The typed detail of a failed call: in the trailer `grpc-status-details-bin`, a google.rpc.Status
 * whose details hold a strandline.v1.Error. Undefined when the failure is not a broker's answer,
 * but the connection's.
 */
export function refusalOf(error: ServiceError): Refusal | undefined {
  const [trailer] = error.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(trailer)) return undefined;
  const status = definition["google.rpc.Status"] as MessageTypeDefinition<
    object,
    { readonly details: readonly ({ readonly "@type": string } & Refusal)[] }
  >;
  const { details } = status.deserialize(trailer);
  return details.find((detail) => detail["@type"].endsWith("/strandline.v1.Error"));
}
