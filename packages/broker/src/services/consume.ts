/**
 * Consume: a stream of committed batches of some partitions, as fast as the caller takes them. Each
 * partition has a loop of its own that reads here while this broker leads, and at the leader while
 * another does; it survives every change of leadership without losing or repeating a record.
 */
import { BrokerError } from "@strandline/model";
import {
  type BufferPool,
  Lease,
  type Logger,
  type RpcStream,
  type Timers,
  type Transport,
} from "@strandline/platform";
import {
  type ConsumePartition,
  type ConsumeRequest,
  errorFromProto,
  errorToProto,
  logMethods,
  type OutgoingConsumeResponse,
  type StartPosition,
} from "@strandline/rpc";
import type { Partition } from "../partition/partition.js";
import type { Directory } from "./directory.js";
import { readCommitted } from "./fetch.js";
import type { OffsetsService } from "./offsets.js";
import type { RecordReader } from "./record-reader.js";

const BYTES_DEFAULT = 1024 * 1024;
const BYTES_MAX = 16 * 1024 * 1024;
const RETRY_MS = 50;
const RECHECK_MS = 1_000;

export interface ConsumePorts {
  readonly timers: Timers;
  readonly transport: Transport;
  readonly logger: Logger;
  readonly buffers: BufferPool;
}

export interface ConsumeParts {
  readonly directory: Directory;
  readonly offsets: OffsetsService;
  readonly reader: RecordReader;
}

export class ConsumeService {
  readonly #ports: ConsumePorts;
  readonly #parts: ConsumeParts;

  constructor(ports: ConsumePorts, parts: ConsumeParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** Starts to send. The caller tells the session about drain and end. */
  open(stream: RpcStream<OutgoingConsumeResponse>, request: ConsumeRequest): ConsumeSession {
    if (request.partitions.length === 0) {
      throw new BrokerError("INVALID_REQUEST", "a consume request names at least one partition");
    }
    for (const wanted of request.partitions) {
      this.#parts.directory.partition(wanted.topic, wanted.partition);
    }
    const session = new ConsumeSession(this.#ports, this.#parts, stream, request);
    session.start();
    return session;
  }
}

export class ConsumeSession {
  readonly #ports: ConsumePorts;
  readonly #parts: ConsumeParts;
  readonly #stream: RpcStream<OutgoingConsumeResponse>;
  readonly #request: ConsumeRequest;
  readonly #bytesMax: number;
  readonly #onClose = new Set<() => void>();
  #waiting: (() => void)[] = [];
  #isFull = false;
  #isClosed = false;
  #running = 0;

  constructor(
    ports: ConsumePorts,
    parts: ConsumeParts,
    stream: RpcStream<OutgoingConsumeResponse>,
    request: ConsumeRequest,
  ) {
    this.#ports = ports;
    this.#parts = parts;
    this.#stream = stream;
    this.#request = request;
    this.#bytesMax = request.bytesMax <= 0 ? BYTES_DEFAULT : Math.min(request.bytesMax, BYTES_MAX);
  }

  start(): void {
    for (const wanted of this.#request.partitions) {
      this.#running += 1;
      this.#run(wanted)
        .catch((error: unknown) => this.#fail(wanted, error))
        .finally(() => {
          this.#running -= 1;
          if (this.#running === 0 && !this.#isClosed) this.#stream.end();
        });
    }
  }

  drained(): void {
    this.#isFull = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.drained();
    for (const listener of [...this.#onClose]) listener();
  }

  /** One partition from its start to the end of the stream. */
  async #run(wanted: ConsumePartition): Promise<void> {
    const cursor = await this.#cursor(wanted);
    while (!this.#isClosed && cursor.offset < cursor.stopAt) {
      try {
        const leader = this.#parts.directory.leader(
          wanted.topic,
          wanted.partition,
          this.#request.forwarded,
        );
        if (leader.kind === "local") await this.#readHere(leader.replica, wanted, cursor);
        else await this.#readThere(leader.address, wanted, cursor);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        // A forwarded stream ends: who passed it on knows better where to go now.
        if (!error.retriable || this.#request.forwarded) throw error;
        await this.#sleep(RETRY_MS);
      }
    }
  }

  async #cursor(wanted: ConsumePartition): Promise<Cursor> {
    const start: StartPosition = wanted.start ?? { latest: true };
    const query = async (position: StartPosition) =>
      await this.#retrying(
        async () =>
          await this.#parts.offsets.find(
            wanted.topic,
            wanted.partition,
            position,
            this.#request.forwarded,
          ),
      );
    let offset = start.offset;
    if (offset === undefined) {
      const found = (await query(start)).offset;
      // No record is that late: begin with the next one that comes.
      offset = found >= 0 ? found : (await query({ latest: true })).offset;
    }
    const stopAt = this.#request.stopAtEnd
      ? (await query({ latest: true })).offset
      : Number.POSITIVE_INFINITY;
    return { offset, stopAt };
  }

  async #readHere(partition: Partition, wanted: ConsumePartition, cursor: Cursor): Promise<void> {
    while (!this.#isClosed && cursor.offset < cursor.stopAt) {
      partition.requireLeader();
      const lease = new Lease(this.#ports.buffers);
      const batches = await readCommitted(partition, cursor.offset, this.#bytesMax, lease);
      partition.requireLeader();
      if (batches.length === 0) {
        await this.#committedMore(partition);
        continue;
      }
      const nextOffset = this.#parts.reader.nextOffset(batches, cursor.offset);
      const isRaw = this.#request.format === "RECORD_FORMAT_BATCHES";
      const response = {
        topic: wanted.topic,
        partition: wanted.partition,
        highWatermark: partition.highWatermark,
        logStartOffset: partition.log.logStartOffset,
        nextOffset,
        records: isRaw ? [] : this.#parts.reader.records(batches, cursor.offset),
        batches: isRaw ? batches : new Uint8Array(0),
      };
      await this.#send(response, lease);
      cursor.offset = nextOffset;
    }
  }

  /** Passes on what the leader sends, until its stream ends. */
  async #readThere(address: string, wanted: ConsumePartition, cursor: Cursor): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const source: RpcStream<ConsumeRequest> = this.#ports.transport.open(
        address,
        logMethods.consume,
        {
          onMessage: (response) => {
            if (this.#isClosed) return;
            if (response.error !== undefined) {
              source.abort();
              finish(errorFromProto(response.error));
              return;
            }
            cursor.offset = response.nextOffset;
            if (this.#stream.send(response)) return;
            this.#isFull = true;
            source.pause();
            this.#waiting.push(() => source.resume());
          },
          onEnd: (error) => finish(error),
        },
      );
      const stop = (): void => {
        source.abort();
        finish(undefined);
      };
      const finish = (error: Error | undefined): void => {
        this.#onClose.delete(stop);
        if (error === undefined || error instanceof BrokerError) {
          if (error === undefined) resolve();
          else reject(error);
          return;
        }
        reject(new BrokerError("NETWORK_EXCEPTION", "the leader's stream broke", { cause: error }));
      };
      this.#onClose.add(stop);
      source.send({
        partitions: [{ ...wanted, start: { offset: cursor.offset } }],
        format: this.#request.format,
        bytesMax: this.#bytesMax,
        stopAtEnd: this.#request.stopAtEnd,
        forwarded: true,
      });
      source.end();
    });
  }

  async #send(response: OutgoingConsumeResponse, lease: Lease): Promise<void> {
    if (this.#isFull) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    if (this.#isClosed) return;
    if (!this.#stream.send(response, () => lease.release())) this.#isFull = true;
  }

  async #committedMore(partition: Partition): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        unsubscribe();
        timer.cancel();
        this.#onClose.delete(done);
        resolve();
      };
      const unsubscribe = partition.onCommitted(done);
      const timer = this.#ports.timers.after(RECHECK_MS, done);
      this.#onClose.add(done);
    });
  }

  async #retrying<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const isFinal = !(error instanceof BrokerError) || !error.retriable;
        if (isFinal || this.#isClosed || this.#request.forwarded) throw error;
        await this.#sleep(RETRY_MS);
      }
    }
  }

  async #sleep(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ports.timers.after(delayMs, resolve);
    });
  }

  #fail(wanted: ConsumePartition, error: unknown): void {
    if (this.#isClosed) return;
    if (!(error instanceof BrokerError)) {
      this.#ports.logger.error(
        { topic: wanted.topic, partition: wanted.partition, error: String(error) },
        "consume failed",
      );
    }
    const refusal =
      error instanceof BrokerError
        ? error
        : new BrokerError("UNKNOWN_SERVER_ERROR", "the broker failed to read this partition");
    this.#stream.send({
      topic: wanted.topic,
      partition: wanted.partition,
      highWatermark: -1,
      logStartOffset: -1,
      nextOffset: -1,
      records: [],
      batches: new Uint8Array(0),
      error: errorToProto(refusal),
    });
  }
}

interface Cursor {
  offset: number;
  readonly stopAt: number;
}
