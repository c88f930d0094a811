/**
 * What unary calls and streams have in common on the server: the raw call below grpc-js's handlers,
 * and who is on its other end.
 */
import type { ServerInterceptingCallInterface, StatusObject } from "@grpc/grpc-js";
import type { BufferPool, Logger, RpcPeer } from "@strandline/platform";
import { isUnexpected, statusOf } from "../errors/call-status.js";

export type RawServerCall = ServerInterceptingCallInterface;

export interface ServerCallContext {
  readonly call: RawServerCall;
  readonly path: string;
  readonly logger: Logger;
  /** Memory for messages that the receiver borrows. */
  readonly buffers: BufferPool;
  /** Told once, when the call is over for good. */
  readonly onOver: () => void;
}

export function peerOf(call: RawServerCall): RpcPeer {
  return { address: call.getPeer() };
}

/** The status for a handler's failure. One that is no refusal is logged: the peer learns nothing. */
export function statusOfFailure(context: ServerCallContext, error: unknown): StatusObject {
  if (isUnexpected(error)) {
    const peer = context.call.getPeer();
    context.logger.error({ method: context.path, peer, error }, "request handler failed");
  }
  return statusOf(error);
}
