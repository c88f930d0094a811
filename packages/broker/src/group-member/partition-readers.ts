/**
 * The partitions that a member reads: each with a session of its own, here or at its leader, whose
 * records go into the member's stream. One that is taken away says nothing more at once.
 */
import { BrokerError } from "@strandline/model";
import type { RpcStream } from "@strandline/platform";
import type {
  Chunks,
  GroupPartition,
  GroupStart,
  OutgoingConsumeResponse,
  StartPosition,
} from "@strandline/rpc";
import { errorToProto } from "@strandline/rpc";
import type { ConsumeService, ConsumeSession } from "../services/consume.js";

export interface ReadersOptions {
  /** Where to begin without an offset, and when the offset is not there any more. */
  readonly start: StartPosition;
  readonly asBatches: boolean;
  readonly bytesMax: number;
  /** No more is sent while so many bytes of batches were not taken. */
  readonly windowBytes: number;
  /** Sends to the caller, as a stream does; false while more than enough waits for the network. */
  send(records: OutgoingConsumeResponse, onTaken?: () => void): boolean;
}

interface Reader extends GroupPartition {
  session: ConsumeSession | undefined;
  isClosed: boolean;
}

export class PartitionReaders {
  readonly #consume: ConsumeService;
  readonly #options: ReadersOptions;
  readonly #readers = new Map<string, Reader>();
  /** Bytes that were sent and not taken. */
  #openBytes = 0;

  constructor(consume: ConsumeService, options: ReadersOptions) {
    this.#consume = consume;
    this.#options = options;
  }

  /** What is read now. */
  get partitions(): readonly GroupPartition[] {
    return [...this.#readers.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  has({ topic, partition }: GroupPartition): boolean {
    return this.#readers.has(keyOf(topic, partition));
  }

  start({ topic, partition, offset }: GroupStart): void {
    const reader: Reader = { topic, partition, session: undefined, isClosed: false };
    this.#readers.set(keyOf(topic, partition), reader);
    this.#open(reader, offset === undefined ? this.#options.start : { offset });
  }

  stop({ topic, partition }: GroupPartition): void {
    const reader = this.#readers.get(keyOf(topic, partition));
    if (reader === undefined) return;
    this.#readers.delete(keyOf(topic, partition));
    reader.isClosed = true;
    reader.session?.close();
  }

  stopAll(): void {
    for (const reader of this.partitions) this.stop(reader);
  }

  /** Sends nothing more, but still has them. */
  mute(): void {
    for (const reader of this.#readers.values()) {
      reader.isClosed = true;
      reader.session?.close();
    }
  }

  /** The network takes more again. */
  drained(): void {
    if (this.#openBytes >= this.#options.windowBytes) return;
    for (const { session } of this.#readers.values()) session?.drained();
  }

  /** The client has room again. */
  taken(bytes: number): void {
    this.#openBytes = Math.max(this.#openBytes - bytes, 0);
    this.drained();
  }

  #open(reader: Reader, start: StartPosition): void {
    const { topic, partition } = reader;
    const sink: RpcStream<OutgoingConsumeResponse> = {
      send: (records, onTaken) => this.#send(reader, records, onTaken),
      end: () => {},
      abort: () => {},
      pause: () => {},
      resume: () => {},
    };
    try {
      reader.session = this.#consume.open(sink, {
        partitions: [{ topic, partition, start }],
        format: this.#options.asBatches ? "RECORD_FORMAT_BATCHES" : "RECORD_FORMAT_RECORDS",
        bytesMax: this.#options.bytesMax,
        stopAtEnd: false,
        forwarded: false,
      });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.#refused(reader, refusalOf(reader, error));
    }
  }

  #send(
    reader: Reader,
    records: OutgoingConsumeResponse,
    onTaken: (() => void) | undefined,
  ): boolean {
    if (reader.isClosed) return true;
    if (records.error === undefined) {
      this.#openBytes += bytesOf(records.batches);
      const hasRoom = this.#openBytes < this.#options.windowBytes;
      return this.#options.send(records, onTaken) && hasRoom;
    }
    this.#refused(reader, records);
    return true;
  }

  #refused(reader: Reader, records: OutgoingConsumeResponse): void {
    // The topic is being deleted: its group is about to assign without it.
    if (records.error?.code === "UNKNOWN_TOPIC_OR_PARTITION") return;
    const { start } = this.#options;
    // Records before the committed offset were deleted, or the log was lost and begins anew.
    if (records.error?.code === "OFFSET_OUT_OF_RANGE" && start.offset === undefined) {
      this.#open(reader, start);
      return;
    }
    this.#options.send(records);
  }
}

function bytesOf(batches: Chunks): number {
  if (batches instanceof Uint8Array) return batches.length;
  let bytes = 0;
  for (const piece of batches) bytes += piece.length;
  return bytes;
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

function refusalOf({ topic, partition }: Reader, error: BrokerError): OutgoingConsumeResponse {
  return {
    topic,
    partition,
    highWatermark: -1,
    logStartOffset: -1,
    nextOffset: -1,
    records: [],
    batches: new Uint8Array(0),
    error: errorToProto(error),
  };
}
