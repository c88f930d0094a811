/**
 * Every setting of a gRPC connection, on purpose: the library's defaults are for calls over the
 * internet (keepalive off, windows of 64 KiB, reconnects up to two minutes apart).
 */
import type { ChannelOptions, ServerOptions } from "@grpc/grpc-js";
import { MESSAGE_BYTES_MAX } from "@strandline/model";

export interface ConnectionTimings {
  /** Silence after which a peer is asked for a sign of life. */
  readonly keepaliveMs: number;
  /** How long the peer may take to give it. */
  readonly keepaliveTimeoutMs: number;
  /** How long a stream may take to be answered by the peer, the connection included. */
  readonly openTimeoutMs: number;
}

export const DEFAULT_TIMINGS: ConnectionTimings = {
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 5_000,
  openTimeoutMs: 10_000,
};

/** Bytes a peer may send on one stream before this side has read them. */
export const CLIENT_WINDOW_BYTES = 16 * 1024 * 1024;
/** The same for what a server receives: it may have many callers that send all at once. */
export const SERVER_WINDOW_BYTES = 4 * 1024 * 1024;

/** Streams one connection may have at a time. Node queues calls above it on the caller's side. */
export const STREAMS_PER_CONNECTION_MAX = 128;

/** Bytes of all headers of one call, names and values. */
export const HEADER_LIST_BYTES_MAX = 16 * 1024;

/** First wait before a lost peer is tried again; it grows to the second one. */
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 250;
/** How often the name of a peer that cannot be reached is looked up anew, at most. */
const RESOLVE_MS_MIN = 500;

/**
 * Bound of what nghttp2 keeps for one connection, in megabytes. Far above the windows and queues
 * of honest peers: Node resets streams without mercy when it is reached.
 */
export const SESSION_MEGABYTES_MAX = 1024;

const COMMON = {
  "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
  "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
  "grpc-node.max_session_memory": SESSION_MEGABYTES_MAX,
  // Book-keeping of each call for a debugging service that nobody serves.
  "grpc.enable_channelz": 0,
};

export function clientChannelOptions(timings: ConnectionTimings): ChannelOptions {
  return {
    ...COMMON,
    "grpc.keepalive_time_ms": timings.keepaliveMs,
    "grpc.keepalive_timeout_ms": timings.keepaliveTimeoutMs,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc-node.flow_control_window": CLIENT_WINDOW_BYTES,
    "grpc.initial_reconnect_backoff_ms": RECONNECT_MS_MIN,
    "grpc.max_reconnect_backoff_ms": RECONNECT_MS_MAX,
    // A peer that came back under another address must be found as soon as one that did not.
    "grpc.dns_min_time_between_resolutions_ms": RESOLVE_MS_MIN,
    // Two transports in one process are two peers, as they would be in two processes.
    "grpc.use_local_subchannel_pool": 1,
    // Retries are the caller's: it knows what may be repeated. The library would also take a
    // message as sent while it is merely kept for a retry, which defeats back-pressure.
    "grpc.enable_retries": 0,
    "grpc.per_rpc_retry_buffer_size": 0,
    // No proxy of the environment between nodes, and no service configuration out of DNS.
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
  };
}

export function serverOptions(timings: ConnectionTimings): ServerOptions {
  return {
    ...COMMON,
    "grpc.keepalive_time_ms": timings.keepaliveMs,
    "grpc.keepalive_timeout_ms": timings.keepaliveTimeoutMs,
    "grpc.max_concurrent_streams": STREAMS_PER_CONNECTION_MAX,
  };
}
