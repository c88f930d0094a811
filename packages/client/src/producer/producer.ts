/**
 * Sends records: gathers them per partition, brings each batch to the partition's leader, and sends
 * again what got lost, so that every record is stored once and in order.
 */
import { compressionOf } from "@strandline/record";
import { backoffMs } from "../backoff.js";
import type { ResolvedClientOptions } from "../client-options.js";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import { asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { resolvedWithin } from "../waits.js";
import { GroupDelivery, PromiseSink } from "./delivery-sinks.js";
import { Dispatcher } from "./dispatcher.js";
import { Intake } from "./intake.js";
import { PartitionQueue } from "./partition-queue.js";
import type { PendingBatch, StoredBatch } from "./pending-batch.js";
import { ProducerIdentities } from "./producer-identity.js";
import type { ResolvedProducerOptions } from "./producer-options.js";
import type { DeliveryReport, ProducerRecord, SendResult } from "./producer-record.js";

const ACKS = { all: "ACKS_ALL", leader: "ACKS_LEADER", none: "ACKS_NONE" } as const;

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ProducerCloseOptions {
  /** How long records on their way may take; the delivery timeout unless given. Milliseconds. */
  readonly timeoutMs?: number | undefined;
}

export class Producer {
  readonly #ports: ClientPorts;
  readonly #options: ResolvedProducerOptions;
  readonly #intake: Intake;
  readonly #dispatcher: Dispatcher;
  readonly #identities: ProducerIdentities;
  readonly #onClosed: () => void;
  /** First failure of a record that nobody was told of; for the next `flush`. */
  #unheardError: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    ports: ClientPorts,
    options: { readonly client: ResolvedClientOptions; readonly producer: ResolvedProducerOptions },
    parts: { readonly cluster: ClusterConnection; readonly onClosed: () => void },
  ) {
    const { metadata, addresses, caller } = parts.cluster;
    this.#ports = ports;
    this.#options = options.producer;
    this.#onClosed = parts.onClosed;
    this.#identities = new ProducerIdentities(ports, options.client, {
      caller,
      onChange: () => this.#dispatcher.pumpParked(),
    });
    this.#dispatcher = new Dispatcher(
      ports,
      {
        acks: ACKS[options.producer.acks],
        requestTimeoutMs: options.producer.requestTimeoutMs,
        retryBackoffMs: options.client.retryBackoffMs,
      },
      { metadata, addresses, identities: this.#identities },
    );
    this.#intake = new Intake(ports, options.producer, {
      metadata,
      dispatcher: this.#dispatcher,
      newQueue: queueFactory(ports, options, (batch, outcome) => this.#settled(batch, outcome)),
      onUnheard: (record, error) => this.#lostBeforeBatch(record, error),
    });
  }

  /** Bytes of records that were taken and whose fate is not known yet. */
  get bufferedBytes(): number {
    return this.#intake.bufferedBytes;
  }

  /**
   * Sends a record; resolves once it is stored as `acks` demands. While the buffer is full it waits
   * for room up to `maxBlockMs`; the signal ends that wait, but calls back nothing already in a
   * batch. Rejects with the broker's refusal, or with a `ClientError`: see its `mayBeStored`.
   */
  send(record: ProducerRecord, options: WaitOptions = {}): Promise<SendResult> {
    const sink = new PromiseSink();
    try {
      this.#refuseClosed();
      this.#intake.offer(record, { sink, mayWait: true, signal: options.signal });
    } catch (error) {
      sink.failed(asError(error));
    }
    return sink.promise;
  }

  /**
   * Sends records in order, waiting for room as it goes; resolves with one result for each once all
   * are stored. When some fail it rejects with the first failure, after all are settled.
   */
  async sendMany(
    records: Iterable<ProducerRecord>,
    options: WaitOptions = {},
  ): Promise<readonly SendResult[]> {
    const group = new GroupDelivery();
    try {
      for (const record of records) {
        const sink = group.next();
        const offer = { sink, mayWait: false, signal: options.signal };
        for (;;) {
          this.#refuseClosed();
          if (this.#intake.offer(record, offer)) break;
          await this.#intake.ready(options.signal);
        }
      }
    } catch (error) {
      group.stop(asError(error));
    }
    return await group.finished();
  }

  /**
   * Takes a record for which nobody waits, and returns true; returns false, without taking it, when
   * the buffer is full: wait for `ready()`. What becomes of it is told to `onDelivery`, or else the
   * next `flush` rejects. Throws when the record can never be sent.
   */
  enqueue(record: ProducerRecord): boolean {
    this.#refuseClosed();
    return this.#intake.offer(record, { sink: undefined, mayWait: false, signal: undefined });
  }

  /** Resolves once `enqueue` has room again. Rejects with `BUFFER_FULL` after `maxBlockMs`. */
  async ready(options: WaitOptions = {}): Promise<void> {
    this.#refuseClosed();
    await this.#intake.ready(options.signal);
    this.#refuseClosed();
  }

  /**
   * Sends everything taken so far without lingering, and resolves once all of it is settled, which
   * takes at most the delivery timeout. Rejects with the first failure of an enqueued record, when
   * no `onDelivery` was told of it.
   */
  async flush(options: WaitOptions = {}): Promise<void> {
    await this.#intake.flush(options.signal);
    const error = this.#unheardError;
    this.#unheardError = undefined;
    if (error !== undefined) throw error;
  }

  /**
   * Takes no more records, waits for those on their way, and lets go of streams and timers. Rejects
   * as `flush` does, but is closed all the same. Idempotent.
   */
  async close(options: ProducerCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? this.#options.deliveryTimeoutMs);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    try {
      if (timeoutMs > 0) {
        const flushed = this.#intake.flush(undefined);
        await resolvedWithin(flushed, this.#ports.timers, { timeoutMs, signal: undefined });
      }
    } finally {
      this.#intake.close(new ClientError("CLIENT_CLOSED", "the producer was closed"));
      this.#dispatcher.close();
      this.#identities.close();
      this.#onClosed();
    }
    await this.flush();
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) {
      throw new ClientError("CLIENT_CLOSED", "the producer is closed");
    }
  }

  #settled(batch: PendingBatch, outcome: StoredBatch | Error): void {
    this.#intake.release(batch);
    const error = outcome instanceof Error ? outcome : undefined;
    this.#report(batch.hasUnheardRecords, {
      topic: batch.topic,
      partition: batch.partition,
      recordCount: batch.recordCount,
      baseOffset: outcome instanceof Error ? -1 : outcome.baseOffset,
      error,
    });
  }

  #lostBeforeBatch(record: ProducerRecord, error: Error): void {
    const { topic, partition = -1 } = record;
    this.#report(true, { topic, partition, recordCount: 1, baseOffset: -1, error });
  }

  #report(isUnheard: boolean, report: DeliveryReport): void {
    const { onDelivery } = this.#options;
    if (onDelivery === undefined) {
      if (isUnheard) this.#unheardError ??= report.error;
      return;
    }
    try {
      onDelivery(report);
    } catch (error) {
      // The user's mistake must not reach the state machine that is being stepped.
      this.#ports.logger.error({ error: asError(error).message }, "onDelivery threw");
    }
  }
}

function queueFactory(
  ports: ClientPorts,
  options: { readonly client: ResolvedClientOptions; readonly producer: ResolvedProducerOptions },
  onSettled: (batch: PendingBatch, outcome: StoredBatch | Error) => void,
): (topic: string, partition: number) => PartitionQueue {
  const { client, producer } = options;
  const { compressor, decompress } = compressionOf(ports.compressors);
  const shared = {
    isIdempotent: producer.isIdempotent,
    isUnacknowledged: producer.acks === "none",
    inFlightMax: producer.inFlightMax,
    batchBytesMax: producer.batchBytesMax,
    deliveryTimeoutMs: producer.deliveryTimeoutMs,
    crc32c: ports.crc32c,
    compression: compressor(producer.compression),
    decompress,
    nowMs: () => ports.clock.monotonicMs(),
    backoffMs: (failures: number) => backoffMs(ports.random, client, failures),
    onSettled,
  };
  return (topic, partition) => new PartitionQueue({ ...shared, topic, partition });
}
