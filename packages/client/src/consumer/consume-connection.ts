/** One stream of answers from one address, for some partitions of a consumer. */
import { type RpcStream, TransportError } from "@strandline/platform";
import { type ConsumeRequest, type ConsumeResponse, logMethods } from "@strandline/rpc";
import type { ClientPorts } from "../ports.js";
import type { AssignedPartition } from "./assigned-partition.js";

export interface ConsumeOwner {
  onResponse(
    connection: ConsumeConnection,
    partition: AssignedPartition,
    response: ConsumeResponse,
  ): void;
  onEnded(connection: ConsumeConnection, error: Error): void;
}

export class ConsumeConnection {
  readonly address: string;
  readonly openedAtMs: number;
  /** When it last brought something, or was told to go on. Monotonic milliseconds. */
  heardAtMs: number;
  readonly #owner: ConsumeOwner;
  readonly #ports: ClientPorts;
  readonly #partitions = new Map<string, AssignedPartition>();
  readonly #stream: RpcStream<ConsumeRequest>;
  #isEnded = false;

  constructor(
    ports: ClientPorts,
    options: {
      readonly address: string;
      readonly partitions: readonly AssignedPartition[];
      readonly bytesMax: number;
    },
    owner: ConsumeOwner,
  ) {
    this.address = options.address;
    this.#ports = ports;
    this.#owner = owner;
    this.openedAtMs = ports.clock.monotonicMs();
    this.heardAtMs = this.openedAtMs;
    for (const each of options.partitions) {
      this.#partitions.set(partitionKey(each.topic, each.partition), each);
    }
    this.#stream = ports.transport.open(options.address, logMethods.consume, {
      onMessage: (response) => this.#received(response),
      onEnd: (error) => {
        this.#end(error ?? new TransportError("broken", `${this.address} ended the stream`));
      },
    });
    this.#stream.send({
      partitions: options.partitions.map(({ topic, partition, fetchOffset }) => ({
        topic,
        partition,
        start: { offset: fetchOffset },
      })),
      format: "RECORD_FORMAT_BATCHES",
      bytesMax: options.bytesMax,
      stopAtEnd: false,
      forwarded: false,
    });
    this.#stream.end();
  }

  /** Partitions that it still reads. */
  partitions(): readonly AssignedPartition[] {
    return [...this.#partitions.values()];
  }

  /** Answers for this partition are ignored from now on. */
  drop(partition: AssignedPartition): void {
    this.#partitions.delete(partitionKey(partition.topic, partition.partition));
  }

  pause(): void {
    if (!this.#isEnded) this.#stream.pause();
  }

  resume(): void {
    this.heardAtMs = this.#ports.clock.monotonicMs();
    if (!this.#isEnded) this.#stream.resume();
  }

  /** Ends the stream, without a word to the owner. Idempotent. */
  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stream.abort();
  }

  #received(response: ConsumeResponse): void {
    if (this.#isEnded) return;
    this.heardAtMs = this.#ports.clock.monotonicMs();
    const partition = this.#partitions.get(partitionKey(response.topic, response.partition));
    if (partition !== undefined) this.#owner.onResponse(this, partition, response);
  }

  #end(error: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#owner.onEnded(this, error);
  }
}

/** Map key of a partition: no topic name holds a slash. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
