/** gRPC service `strandline.v1.Log`: decodes, calls the services, encodes. Decides nothing. */
import { BrokerError } from "@strandline/model";
import { type RpcRoute, type RpcStream, streamRoute, unaryRoute } from "@strandline/platform";
import {
  type ConsumeRequest,
  errorToProto,
  logMethods,
  type OutgoingConsumeResponse,
  type ProduceRequest,
  type ProduceResponse,
} from "@strandline/rpc";
import type { ConsumeService, ConsumeSession } from "../../services/consume.js";
import type { FetchService } from "../../services/fetch.js";
import type { OffsetsService } from "../../services/offsets.js";
import type { ProduceService } from "../../services/produce.js";
import type { ProducerIds } from "../../services/producer-ids.js";

export interface LogServices {
  readonly produce: ProduceService;
  readonly fetch: FetchService;
  readonly consume: ConsumeService;
  readonly offsets: OffsetsService;
  readonly producerIds: ProducerIds;
}

export function logRoutes(services: LogServices): RpcRoute[] {
  return [
    unaryRoute(logMethods.produce, async (request) => {
      return await new Promise<ProduceResponse>((resolve, reject) => {
        services.produce.produce(request, (error, response) => {
          if (response === undefined) reject(error);
          else resolve(response);
        });
      });
    }),
    streamRoute(logMethods.produceStream, (stream) => produceStream(services.produce, stream)),
    unaryRoute(
      logMethods.fetch,
      async (request, _peer, signal) => await services.fetch.fetch(request, signal),
    ),
    streamRoute(logMethods.consume, (stream) => consumeStream(services.consume, stream)),
    unaryRoute(logMethods.listOffsets, async (request) => await services.offsets.list(request)),
    unaryRoute(logMethods.initProducerId, async () => ({
      producerId: await services.producerIds.next(),
      producerEpoch: 0,
    })),
  ];
}

function produceStream(service: ProduceService, stream: RpcStream<ProduceResponse>) {
  let waiting = 0;
  let hasEnded = false;
  let isGone = false;
  return {
    // The log and the way to another leader hold what they need.
    borrows: true,
    onMessage(request: ProduceRequest): void {
      waiting += 1;
      service.produce(request, (error, response) => {
        waiting -= 1;
        if (isGone) return;
        stream.send(response ?? refusal(request, error));
        if (hasEnded && waiting === 0) stream.end();
      });
    },
    onEnd(error: Error | undefined): void {
      // A half close: what was accepted is still answered.
      if (error !== undefined) isGone = true;
      hasEnded = true;
      if (waiting === 0 && !isGone) stream.end();
    },
  };
}

function refusal(request: ProduceRequest, error: BrokerError | undefined): ProduceResponse {
  return {
    correlationId: request.correlationId,
    partition: request.partition ?? -1,
    baseOffset: -1,
    logStartOffset: -1,
    positions: [],
    error: errorToProto(error ?? new BrokerError("UNKNOWN_SERVER_ERROR", "no answer")),
  };
}

function consumeStream(service: ConsumeService, stream: RpcStream<OutgoingConsumeResponse>) {
  let session: ConsumeSession | undefined;
  return {
    onMessage(request: ConsumeRequest): void {
      if (session !== undefined) return;
      try {
        session = service.open(stream, request);
      } catch (error) {
        stream.abort(error as Error);
      }
    },
    onDrain(): void {
      session?.drained();
    },
    onEnd(error: Error | undefined): void {
      // The caller of a server stream closes its half at once; only a broken call is an end.
      if (error !== undefined) session?.close();
    },
  };
}
