/**
 * Messages with large bytes, as a sender may hold them: in pieces. The codecs take a list of
 * pieces wherever a message has bytes. On a stream, large pieces go to the network as they are, so
 * they stay unchanged from then on. Receivers always get one view. A handler or a caller opts in by
 * naming the type:
 *
 *     streamRoute(logMethods.consume, (stream: RpcStream<OutgoingConsumeResponse>) => …)
 *     transport.open<OutgoingProduceRequest, ProduceResponse>(address, logMethods.produceStream, …)
 */
import type { GroupConsumeResponse } from "./generated/groups.js";
import type { ConsumeResponse, FetchResponse, ProduceRequest } from "./generated/log.js";
import type { Append, LeaderMessage, ReadRangeResponse } from "./generated/replication.js";
import type { Chunks } from "./wire/wire-writer.js";

export interface OutgoingProduceRequest extends Omit<ProduceRequest, "batch"> {
  readonly batch: Chunks;
}

export interface OutgoingFetchResponse extends Omit<FetchResponse, "batches"> {
  readonly batches: Chunks;
}

export interface OutgoingConsumeResponse extends Omit<ConsumeResponse, "batches"> {
  readonly batches: Chunks;
}

export interface OutgoingAppend extends Omit<Append, "batches"> {
  readonly batches: Chunks;
}

export interface OutgoingLeaderMessage extends Omit<LeaderMessage, "append"> {
  readonly append?: OutgoingAppend | undefined;
}

export interface OutgoingReadRangeResponse extends Omit<ReadRangeResponse, "batches"> {
  readonly batches: Chunks;
}

export interface OutgoingGroupConsumeResponse extends Omit<GroupConsumeResponse, "records"> {
  readonly records?: OutgoingConsumeResponse | undefined;
}
