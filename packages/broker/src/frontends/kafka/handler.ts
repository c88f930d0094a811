/** What answers one API of the Kafka protocol: decoded request in, response to encode out. */
import type {
  ApiName,
  OutgoingResponseOf,
  RequestOf,
  ServedApis,
} from "@strandline/kafka-protocol";
import type { Lease } from "@strandline/platform";

export interface KafkaAddress {
  readonly host: string;
  readonly port: number;
}

/** The listener that a client came in by. */
export interface KafkaListenerView {
  /** What clients of this listener are told of a broker; undefined when it has no such listener. */
  endpointOf(nodeId: number): KafkaAddress | undefined;
}

/** What a handler may know of the request beside its body. */
export interface KafkaRequestContext {
  readonly version: number;
  /** Empty when the client gave none. */
  readonly clientId: string;
  /** Address of the peer, without its port. */
  readonly clientHost: string;
  readonly listener: KafkaListenerView;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  /** Holds the bytes of the answer until the client's connection has taken them. */
  readonly lease: Lease;
}

/**
 * Answers one request. Throws a BrokerError only where that fits no field of the response: it is
 * logged, as anything else that is thrown, and the connection is closed.
 */
export type KafkaHandler<Name extends ApiName> = (
  request: RequestOf<ServedApis[Name]>,
  context: KafkaRequestContext,
) => Promise<OutgoingResponseOf<ServedApis[Name]>>;

/**
 * Answers Produce: by a call back, because one batch costs no promise on its way. The bytes of the
 * request are lent: whoever uses them after this has returned holds them.
 */
export type KafkaProduce = (
  request: RequestOf<ServedApis["Produce"]>,
  context: KafkaRequestContext,
  onAnswer: (response: OutgoingResponseOf<ServedApis["Produce"]>) => void,
) => void;

export type KafkaHandlers = { readonly [Name in Exclude<ApiName, "Produce">]?: KafkaHandler<Name> };
