/** The client on Node: over gRPC, with the machine's clock, timers and compressors. */
import {
  crc32c,
  type Logger,
  nodeClock,
  nodeCompressors,
  nodeRandom,
  nodeTimers,
  nullLogger,
} from "@strandline/platform";
import { GrpcTransport } from "@strandline/rpc";
import type { ClientOptions } from "./client-options.js";
import { StrandlineClient } from "./strandline-client.js";

export interface ConnectOptions extends ClientOptions {
  /** Says nothing unless given. */
  readonly logger?: Logger | undefined;
}

/**
 * A client of the cluster that the bootstrap addresses belong to. Connects when something is first
 * asked for; close it to let the process end. Throws `INVALID_ARGUMENT`.
 *
 *     const client = connect({ bootstrap: ["127.0.0.1:50051"] });
 *     const producer = client.producer();
 *     const { partition, offset } = await producer.send({ topic: "hello", value: "world" });
 */
export function connect(options: ConnectOptions): StrandlineClient {
  const logger = options.logger ?? nullLogger;
  const transport = new GrpcTransport({ logger });
  const ports = {
    transport,
    clock: nodeClock,
    timers: nodeTimers,
    random: nodeRandom,
    logger,
    crc32c,
    compressors: nodeCompressors,
  };
  return new StrandlineClient(ports, options, { onClosed: async () => await transport.close() });
}
