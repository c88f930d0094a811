/**
 * Reads ahead: keeps every partition that wants data on a stream from its leader, holds what comes
 * within a bound, and opens streams anew after leader changes, breaks and silence.
 *
 * Several partitions of one leader share a stream. When one of them has to move, its stream is
 * closed and those left are spread anew, each from its own fetch offset: nothing is lost by it.
 */
import { BrokerError } from "@strandline/model";
import { TransportError } from "@strandline/platform";
import { type ConsumeResponse, errorFromProto } from "@strandline/rpc";
import { backoffMs } from "../backoff.js";
import type { ResolvedClientOptions } from "../client-options.js";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import { DeadlineTimer } from "../deadline-timer.js";
import { asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import type { AssignedPartition } from "./assigned-partition.js";
import { BatchReader } from "./batch-reader.js";
import { ConsumeConnection, type ConsumeOwner } from "./consume-connection.js";
import type { ResolvedConsumerOptions } from "./consumer-options.js";
import type { ConsumerBatch } from "./consumer-record.js";

export interface FetcherOptions {
  readonly client: ResolvedClientOptions;
  readonly consumer: ResolvedConsumerOptions;
}

export interface FetcherCallbacks {
  /** There may be something to take, or an error to tell. */
  readonly onChange: () => void;
  /** The partition's offset is not there any more, or not yet. */
  readonly onOutOfRange: (partition: AssignedPartition, error: BrokerError) => void;
}

/** Silence after which it is worth asking, now and then, whether another broker leads by now. */
const QUIET_MS = 3_000;
const LOOK_MS_MAX = 5_000;
/** A stream that has held for so long works, even if there was nothing to bring. */
const PROVEN_MS = 5_000;

export class Fetcher implements ConsumeOwner {
  readonly #ports: ClientPorts;
  readonly #options: FetcherOptions;
  readonly #cluster: ClusterConnection;
  readonly #callbacks: FetcherCallbacks;
  readonly #reader: BatchReader;
  readonly #timer: DeadlineTimer;
  readonly #stopListening: () => void;
  readonly #partitions = new Set<AssignedPartition>();
  readonly #connections = new Set<ConsumeConnection>();
  readonly #routes = new Map<AssignedPartition, ConsumeConnection>();
  /** Partitions with something to take, in turn. */
  readonly #ready = new Set<AssignedPartition>();
  /** Partitions with an error that was not told yet. */
  readonly #erred = new Set<AssignedPartition>();
  #bufferedBytes = 0;
  #isHeld = false;
  #isClosed = false;

  constructor(
    ports: ClientPorts,
    options: FetcherOptions,
    parts: { readonly cluster: ClusterConnection; readonly callbacks: FetcherCallbacks },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#cluster = parts.cluster;
    this.#callbacks = parts.callbacks;
    this.#reader = new BatchReader(ports, options.consumer);
    this.#timer = new DeadlineTimer(ports, () => this.#reconcile());
    this.#stopListening = parts.cluster.metadata.onUpdate(() => this.#soon());
  }

  /** Bytes read ahead. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  add(partition: AssignedPartition): void {
    this.#partitions.add(partition);
    this.#soon();
  }

  remove(partition: AssignedPartition): void {
    this.#partitions.delete(partition);
    this.#erred.delete(partition);
    this.#stop(partition);
    this.#forget(partition);
  }

  /** Goes on at `offset`; what was read ahead is dropped. */
  restart(partition: AssignedPartition, offset: number): void {
    this.#erred.delete(partition);
    this.#stop(partition);
    this.#ready.delete(partition);
    this.#free(partition.restartAt(offset));
    this.#soon();
  }

  /** Whether the partition is to be read has changed: pause, resume, an error that was told. */
  changed(partition: AssignedPartition): void {
    if (!this.#wants(partition)) {
      this.#stop(partition);
      // A paused partition must not fill the room of the others.
      if (partition.isPaused) this.#forget(partition);
    }
    this.#soon();
  }

  /** Goes on at `offset` after what was read ahead. */
  jump(partition: AssignedPartition, offset: number): void {
    partition.jumpTo(offset);
    this.#ready.add(partition);
    this.#callbacks.onChange();
    this.#soon();
  }

  /** Stops reading the partition until somebody was told of the error. */
  fail(partition: AssignedPartition, error: Error): void {
    partition.error = error;
    this.#erred.add(partition);
    this.#callbacks.onChange();
  }

  /** The next batch, each partition in turn; undefined when none is here. Throws its error. */
  take(): ConsumerBatch | undefined {
    for (;;) {
      for (const partition of this.#erred) {
        // What was read before the error comes first.
        if (!partition.hasChunks) throw this.#tell(partition);
      }
      const [partition] = this.#ready;
      if (partition === undefined) return undefined;
      this.#ready.delete(partition);
      const batch = this.#read(partition);
      if (partition.hasChunks) this.#ready.add(partition);
      if (batch !== undefined) return batch;
    }
  }

  /** Ends every stream and timer. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    this.#timer.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
    this.#routes.clear();
    this.#ready.clear();
    this.#partitions.clear();
  }

  onResponse(
    connection: ConsumeConnection,
    partition: AssignedPartition,
    response: ConsumeResponse,
  ): void {
    if (response.error !== undefined) {
      this.#drop(connection, partition);
      this.#refused(partition, errorFromProto(response.error));
      this.#soon();
      return;
    }
    partition.worked();
    this.#bufferedBytes += partition.add(response);
    if (!this.#isHeld && this.#bufferedBytes >= this.#options.consumer.prefetchBytesMax) {
      this.#isHeld = true;
      for (const each of this.#connections) each.pause();
    }
    if (partition.hasChunks) {
      this.#ready.add(partition);
      this.#callbacks.onChange();
    }
    if (partition.isFetched) this.#drop(connection, partition);
  }

  onEnded(connection: ConsumeConnection, error: Error): void {
    this.#connections.delete(connection);
    const { addresses, metadata } = this.#cluster;
    const { address } = connection;
    if (error instanceof TransportError && error.reason === "unreachable") {
      addresses.noteUnreachable(address);
    } else {
      addresses.passOver(address);
    }
    const partitions = connection.partitions();
    for (const partition of partitions) {
      this.#routes.delete(partition);
      if (error instanceof BrokerError) partition.isAlone = true;
      if (error instanceof BrokerError) this.#refused(partition, error);
      else this.#failed(partition, error);
    }
    if (partitions.length > 0) {
      this.#ports.logger.warn({ address, error: error.message }, "consume stream ended");
      metadata.requestRefresh();
    }
    this.#soon();
  }

  #read(partition: AssignedPartition): ConsumerBatch | undefined {
    try {
      const { batch, freedBytes } = this.#reader.read(partition);
      this.#free(freedBytes);
      if (partition.isDone) this.#stop(partition);
      return batch;
    } catch (error) {
      this.#stop(partition);
      this.#forget(partition);
      this.fail(partition, asError(error));
      return undefined;
    }
  }

  /** The error to throw; the partition is tried again after it was told. */
  #tell(partition: AssignedPartition): Error {
    this.#erred.delete(partition);
    const error = partition.error ?? new ClientError("UNAVAILABLE", "no error");
    partition.error = undefined;
    partition.unavailableSinceMs = undefined;
    partition.unknownSinceMs = undefined;
    this.#soon();
    return error;
  }

  #forget(partition: AssignedPartition): void {
    this.#ready.delete(partition);
    this.#free(partition.forget());
  }

  #free(bytes: number): void {
    this.#bufferedBytes -= bytes;
    // Not at once below the bound: stopping and starting a stream for every batch is dear.
    if (this.#isHeld && this.#bufferedBytes <= this.#options.consumer.prefetchBytesMax / 2) {
      this.#isHeld = false;
      for (const connection of this.#connections) connection.resume();
    }
  }

  #wants(partition: AssignedPartition): boolean {
    return (
      this.#partitions.has(partition) &&
      !partition.isPaused &&
      !partition.isFetched &&
      !partition.isMoving &&
      partition.error === undefined
    );
  }

  /** Takes a partition off its stream; the others of that stream get another. */
  #stop(partition: AssignedPartition): void {
    const connection = this.#routes.get(partition);
    if (connection === undefined) return;
    this.#close(connection);
  }

  /** The other partitions go on; what else comes for this one is not listened to. */
  #drop(connection: ConsumeConnection, partition: AssignedPartition): void {
    connection.drop(partition);
    this.#routes.delete(partition);
    if (connection.partitions().length === 0) this.#close(connection);
  }

  #close(connection: ConsumeConnection): void {
    connection.close();
    this.#connections.delete(connection);
    for (const each of connection.partitions()) this.#routes.delete(each);
  }

  #refused(partition: AssignedPartition, error: BrokerError): void {
    if (error.code === "OFFSET_OUT_OF_RANGE") {
      this.#callbacks.onOutOfRange(partition, partition.refusal(error));
    } else if (error.retriable) {
      this.#failed(partition, error);
      this.#cluster.metadata.requestRefresh();
    } else {
      this.fail(partition, partition.refusal(error));
    }
  }

  #failed(partition: AssignedPartition, error: Error): void {
    partition.failed(error, this.#ports.clock.monotonicMs(), (failures) =>
      backoffMs(this.#ports.random, this.#options.client, failures),
    );
  }

  #soon(): void {
    if (this.#partitions.size > 0) this.#timer.arm(this.#ports.clock.monotonicMs());
  }

  /** Brings streams in line with what is wanted, and says when to look again. */
  #reconcile(): void {
    if (this.#isClosed) return;
    const nowMs = this.#ports.clock.monotonicMs();
    this.#closeSilent(nowMs);
    this.#closeMisrouted();
    const wanted = new Map<string, AssignedPartition[]>();
    let againAtMs = nowMs + Math.min(this.#options.consumer.silenceMsMax / 2, LOOK_MS_MAX);
    for (const partition of this.#partitions) {
      if (!this.#wants(partition) || this.#routes.has(partition)) continue;
      if (this.#isGivenUp(partition, nowMs)) continue;
      if (partition.retryAtMs > nowMs) {
        againAtMs = Math.min(againAtMs, partition.retryAtMs);
        continue;
      }
      const address = this.#cluster.metadata.route(partition.topic, partition.partition);
      if (address === undefined) {
        this.#leaderless(partition);
        againAtMs = Math.min(againAtMs, partition.retryAtMs);
        continue;
      }
      const group = wanted.get(address);
      if (partition.isAlone) this.#open(address, [partition]);
      else if (group === undefined) wanted.set(address, [partition]);
      else group.push(partition);
    }
    for (const [address, partitions] of wanted) this.#open(address, partitions);
    if (this.#partitions.size > 0) this.#timer.arm(againAtMs);
  }

  #open(address: string, partitions: readonly AssignedPartition[]): void {
    const bytesMax = this.#options.consumer.fetchBytesMax;
    const connection = new ConsumeConnection(this.#ports, { address, partitions, bytesMax }, this);
    this.#connections.add(connection);
    for (const partition of partitions) this.#routes.set(partition, connection);
    if (this.#isHeld) connection.pause();
  }

  /** A connection that is up but brings nothing may be dead: gone without a word. */
  #closeSilent(nowMs: number): void {
    for (const connection of this.#connections) {
      if (nowMs - connection.openedAtMs >= PROVEN_MS) {
        for (const partition of connection.partitions()) partition.worked();
      }
      const silentMs = nowMs - connection.heardAtMs;
      if (this.#isHeld || silentMs < QUIET_MS) continue;
      // Mostly there is just nothing to read; but a broker that hangs looks the same from here.
      this.#cluster.metadata.refreshIfOld(LOOK_MS_MAX);
      if (silentMs < this.#options.consumer.silenceMsMax) continue;
      this.#close(connection);
      this.#cluster.metadata.requestRefresh();
    }
  }

  /** Follows the leaders: the old one forwards, but that is a detour. */
  #closeMisrouted(): void {
    const { metadata, addresses } = this.#cluster;
    for (const [partition, connection] of this.#routes) {
      const leader = metadata.leaderAddress(partition.topic, partition.partition);
      if (leader === undefined || leader === connection.address) continue;
      // While the leader's own address does not answer, one detour is as good as another.
      if (addresses.isUsable(leader)) this.#stop(partition);
    }
  }

  #leaderless(partition: AssignedPartition): void {
    const { topic } = partition;
    const where = `${topic}-${partition.partition}`;
    const error =
      this.#cluster.metadata.topic(topic) === undefined
        ? new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", `there is no topic "${topic}" any more`)
        : new ClientError("UNAVAILABLE", `no leader is known for ${where}`);
    this.#failed(partition, error);
    this.#cluster.metadata.requestRefresh();
  }

  /** True when the partition could not be read for so long that somebody should know. */
  #isGivenUp(partition: AssignedPartition, nowMs: number): boolean {
    const { unavailableSinceMs, unknownSinceMs, lastError, topic } = partition;
    if (unavailableSinceMs === undefined) return false;
    const forMs = nowMs - unavailableSinceMs;
    if (lastError instanceof BrokerError && lastError.code === "UNKNOWN_TOPIC_OR_PARTITION") {
      const unknownForMs = nowMs - (unknownSinceMs ?? nowMs);
      if (unknownForMs < this.#options.client.topicWaitMs) return false;
      this.fail(partition, partition.refusal(lastError));
      return true;
    }
    const { unavailableMsMax } = this.#options.consumer;
    if (unavailableMsMax === 0 || forMs < unavailableMsMax) return false;
    const message = `${topic}-${partition.partition} could not be read for ${unavailableMsMax} ms`;
    this.fail(partition, new ClientError("UNAVAILABLE", message, { cause: lastError }));
    return true;
  }
}
