/**
 * Serves grpc.health.v1, which load balancers and probes ask. Its two messages are written out
 * here: the official package reads .proto files as it loads, for a tenth of a node's start.
 *
 * Source: the gRPC Health Checking Protocol. HealthCheckRequest { string service = 1 };
 * HealthCheckResponse { ServingStatus status = 1 }.
 */
import { BrokerError } from "@strandline/model";
import { type RpcMethod, type RpcRoute, streamRoute, unaryRoute } from "@strandline/platform";
import { messageCodec } from "../wire/message-codec.js";
import { sizeOfInt32, sizeOfString } from "../wire/wire-writer.js";
import type { HealthState, HealthStatus } from "./health-status.js";

interface HealthCheckRequest {
  readonly service: string;
}

interface HealthCheckResponse {
  readonly status: HealthState | "SERVICE_UNKNOWN";
}

const STATUS_NUMBERS = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
/** Field 1, delimited; field 1, varint. */
const SERVICE_TAG = 10;
const STATUS_TAG = 8;

const requestCodec = messageCodec<HealthCheckRequest>({
  size: ({ service }) => (service === "" ? 0 : 1 + sizeOfString(service)),
  write: ({ service }, writer) => {
    if (service === "") return;
    writer.varint(SERVICE_TAG);
    writer.string(service);
  },
  read: (reader) => {
    let service = "";
    while (reader.hasMore) {
      const tag = reader.tag();
      if (tag === SERVICE_TAG) service = reader.string();
      else reader.skip(tag);
    }
    return { service };
  },
});

const responseCodec = messageCodec<HealthCheckResponse>({
  size: ({ status }) => 1 + sizeOfInt32(STATUS_NUMBERS[status]),
  write: ({ status }, writer) => {
    writer.varint(STATUS_TAG);
    writer.int32(STATUS_NUMBERS[status]);
  },
  read: (reader) => {
    let status: HealthCheckResponse["status"] = "SERVICE_UNKNOWN";
    while (reader.hasMore) {
      const tag = reader.tag();
      if (tag !== STATUS_TAG) reader.skip(tag);
      else status = reader.int32() === STATUS_NUMBERS.SERVING ? "SERVING" : "NOT_SERVING";
    }
    return { status };
  },
});

function method(
  name: string,
  kind: RpcMethod<never, never>["kind"],
): RpcMethod<HealthCheckRequest, HealthCheckResponse> {
  const path = `/grpc.health.v1.Health/${name}`;
  return { path, kind, request: requestCodec, response: responseCodec };
}

/** Answers for the whole server, whose name is empty. */
export function healthRoutes(health: HealthStatus): readonly RpcRoute[] {
  const check = unaryRoute(method("Check", "unary"), async ({ service }) => {
    if (service === "") return { status: health.state };
    throw new BrokerError("RESOURCE_NOT_FOUND", `no health is kept for service ${service}`);
  });
  const watch = streamRoute(method("Watch", "server-stream"), (stream) => {
    let unfollow: () => void = () => undefined;
    return {
      onMessage: ({ service }) => {
        if (service === "") unfollow = health.follow((status) => stream.send({ status }));
        else stream.send({ status: "SERVICE_UNKNOWN" });
      },
      onEnd: () => unfollow(),
    };
  });
  return [check, watch];
}
