/** One unary call, seen from the caller. */
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { BrokerError, MESSAGE_BYTES_MAX } from "@strandline/model";
import { type CallOptions, type RpcMethod, TransportError } from "@strandline/platform";
import { errorOfStatus } from "../errors/call-status.js";
import { asBuffer } from "./buffers.js";
import { type Channels, cancelCall, type RawCall } from "./channels.js";

export interface CallTarget {
  readonly channels: Channels;
  readonly address: string;
}

/** Refusal of a message that no peer would take. */
export function tooLarge(sizeBytes: number): BrokerError {
  const message = `a message of ${sizeBytes} bytes is larger than ${MESSAGE_BYTES_MAX}`;
  return new BrokerError("MESSAGE_TOO_LARGE", message);
}

/** Starts a raw call; a channel that cannot start one is an unreachable peer. */
export function startCall(target: CallTarget, path: string, deadline: Date | number): RawCall {
  const { channels, address } = target;
  try {
    return channels.createCall(address, path, deadline);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TransportError("unreachable", `cannot reach ${address}: ${why}`, { cause });
  }
}

export async function callUnary<Request, Response>(
  target: CallTarget,
  method: RpcMethod<Request, Response>,
  request: Request,
  options: CallOptions,
): Promise<Response> {
  const bytes = asBuffer(method.request.encode(request));
  if (bytes.length > MESSAGE_BYTES_MAX) throw tooLarge(bytes.length);
  if (options.signal?.aborted === true) throw aborted(target.address);
  if (options.timeoutMs <= 0) throw timedOut(target.address);
  const call = startCall(target, method.path, Date.now() + options.timeoutMs);
  const answer = await exchange(call, bytes, options.signal);
  target.channels.noteEnd(call);
  if (answer.ended.code === status.DEADLINE_EXCEEDED) target.channels.noteTimeout(target.address);
  if (answer.ended.code !== status.OK) throw errorOfStatus(answer.ended, target.address);
  return decodeAnswer(method, answer.message, target.address);
}

interface Answer {
  readonly ended: StatusObject;
  readonly message: Buffer | undefined;
}

function exchange(call: RawCall, bytes: Buffer, signal: AbortSignal | undefined): Promise<Answer> {
  return new Promise((resolve) => {
    const cancel = (): void => cancelCall(call);
    let message: Buffer | undefined;
    signal?.addEventListener("abort", cancel, { once: true });
    call.start(new Metadata(), {
      onReceiveMetadata: () => undefined,
      onReceiveMessage: (received: Buffer) => {
        message = received;
      },
      onReceiveStatus: (ended) => {
        signal?.removeEventListener("abort", cancel);
        resolve({ ended, message });
      },
    });
    call.startRead();
    call.sendMessageWithContext({}, bytes);
    call.halfClose();
  });
}

function decodeAnswer<Request, Response>(
  method: RpcMethod<Request, Response>,
  message: Buffer | undefined,
  address: string,
): Response {
  if (message === undefined) {
    throw new TransportError("broken", `${address} ended the call without an answer`);
  }
  try {
    return method.response.decode(message);
  } catch (cause) {
    throw new TransportError("broken", `${address} sent a malformed answer`, { cause });
  }
}

function timedOut(address: string): TransportError {
  return new TransportError("timeout", `no time was left to call ${address}`);
}

function aborted(address: string): TransportError {
  return new TransportError("aborted", `the call to ${address} was aborted`);
}
