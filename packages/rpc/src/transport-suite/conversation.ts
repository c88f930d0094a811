/** Streams whose two sides a test holds in its hands. */
import { type RpcRoute, type RpcStream, streamRoute } from "@strandline/platform";
import { type BytesMethod, numbered, Recorder, type Served } from "./methods.js";
import type { ServedPeer, TransportWorld } from "./world.js";

export const SOON_MS = 1000;

/** A route that records, and the server's sides of the streams it was called for. */
export function recording(method: BytesMethod): { route: RpcRoute; served: Served[] } {
  const served: Served[] = [];
  const route = streamRoute(method, (stream) => {
    const recorder = new Recorder();
    served.push({ stream, recorder });
    return recorder;
  });
  return { route, served };
}

export interface Conversation {
  readonly peer: ServedPeer;
  readonly client: RpcStream<Uint8Array>;
  readonly answers: Recorder;
  readonly server: RpcStream<Uint8Array>;
  readonly requests: Recorder;
}

/** Opens a stream to a fresh peer, sends message 0, and waits until it has arrived. */
export async function converse(world: TransportWorld, method: BytesMethod): Promise<Conversation> {
  const { route, served } = recording(method);
  const peer = await world.settle(world.serve([route]));
  const answers = new Recorder();
  const client = world.transport().open(peer.address, method, answers);
  client.send(numbered(0));
  await world.until(() => served[0]?.recorder.messages.length === 1, SOON_MS);
  const { stream: server, recorder: requests } = served[0] as Served;
  return { peer, client, answers, server, requests };
}

/** Numbers from..to, exclusive. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
