/**
 * Brings batches from their queues to brokers: picks the address, keeps one stream for each, and
 * feeds answers, breaks and retries back. Decides nothing about batches; `PartitionQueue` does.
 */
import { type Timer, TransportError } from "@strandline/platform";
import type { Acks, ProduceResponse } from "@strandline/rpc";
import type { AddressBook } from "../cluster/address-book.js";
import type { ClusterMetadata } from "../cluster/cluster-metadata.js";
import type { ClientPorts } from "../ports.js";
import { delayUntil } from "../waits.js";
import type { PartitionQueue } from "./partition-queue.js";
import type { PendingBatch } from "./pending-batch.js";
import {
  type ConnectionOwner,
  ProduceConnection,
  type Refused,
  type UnderWay,
} from "./produce-connection.js";
import { suggestsOtherLeader } from "./produce-verdict.js";
import type { ProducerIdentities } from "./producer-identity.js";

export interface DispatcherParts {
  readonly metadata: ClusterMetadata;
  readonly addresses: AddressBook;
  readonly identities: ProducerIdentities;
}

export interface DispatcherOptions {
  readonly acks: Acks;
  readonly requestTimeoutMs: number;
  /** Wait before a queue without a leader is looked at again. Milliseconds. */
  readonly retryBackoffMs: number;
}

export class Dispatcher implements ConnectionOwner {
  readonly #ports: ClientPorts;
  readonly #options: DispatcherOptions;
  readonly #metadata: ClusterMetadata;
  readonly #addresses: AddressBook;
  readonly #identities: ProducerIdentities;
  readonly #connections = new Map<string, ProduceConnection>();
  /** Where a queue has batches under way; it stays there until none is. */
  readonly #routes = new Map<PartitionQueue, ProduceConnection>();
  /** Queues that a full stream holds up, in the order they came. */
  readonly #held = new Map<ProduceConnection, Set<PartitionQueue>>();
  readonly #retries = new Map<PartitionQueue, Timer>();
  /** Queues without a leader or an identity. */
  readonly #parked = new Set<PartitionQueue>();
  #isClosed = false;

  constructor(ports: ClientPorts, options: DispatcherOptions, parts: DispatcherParts) {
    this.#ports = ports;
    this.#options = options;
    this.#metadata = parts.metadata;
    this.#addresses = parts.addresses;
    this.#identities = parts.identities;
  }

  /** Sends whatever the queue may send now. */
  pump(queue: PartitionQueue): void {
    while (!this.#isClosed) {
      const nowMs = this.#ports.clock.monotonicMs();
      if (!queue.canSend(nowMs)) {
        if (queue.retryAtMs > nowMs) this.#retryAt(queue, queue.retryAtMs);
        return;
      }
      const connection = this.#connectionFor(queue);
      if (connection === undefined) {
        this.#metadata.requestRefresh();
        this.#parked.add(queue);
        this.#retryAt(queue, nowMs + this.#options.retryBackoffMs);
        return;
      }
      if (!connection.isWritable) {
        this.#hold(connection, queue);
        return;
      }
      const batch = queue.next(nowMs, this.#identities.latest);
      if (batch === undefined) {
        this.#awaitIdentity(queue);
        return;
      }
      queue.sent(batch);
      this.#routes.set(queue, connection);
      connection.send(queue, batch);
    }
  }

  /** Follows what was heard of the cluster. */
  metadataChanged(): void {
    for (const connection of this.#connections.values()) this.#leaveHung(connection);
    this.pumpParked();
  }

  /** Looks again at queues that waited for a leader or an identity. */
  pumpParked(): void {
    const parked = [...this.#parked];
    this.#parked.clear();
    for (const queue of parked) this.pump(queue);
  }

  onAlive(connection: ProduceConnection): void {
    this.#addresses.noteReachable(connection.address);
  }

  onStored(queue: PartitionQueue, batch: PendingBatch, response: ProduceResponse): void {
    queue.stored(batch, {
      baseOffset: response.baseOffset,
      logAppendTimeMs: response.logAppendTimeMs,
    });
    this.pump(queue);
  }

  onRefused(queue: PartitionQueue, batch: PendingBatch, { error, leaderId }: Refused): void {
    queue.refused(batch, error, this.#ports.clock.monotonicMs());
    if (suggestsOtherLeader(error)) {
      const { topic, partition } = queue;
      const isNews =
        leaderId !== undefined &&
        leaderId >= 0 &&
        this.#metadata.noteLeader(topic, partition, leaderId);
      // Only once in a row: two brokers may each take the other for the leader.
      if (isNews && queue.failures === 1) queue.retryNow();
      this.#metadata.requestRefresh();
    }
    this.pump(queue);
  }

  onSlow(connection: ProduceConnection): void {
    this.#addresses.passOver(connection.address);
    this.#metadata.requestRefresh();
  }

  onWritable(connection: ProduceConnection): void {
    const held = this.#held.get(connection);
    if (held === undefined) return;
    this.#held.delete(connection);
    for (const queue of held) this.pump(queue);
  }

  onBroken(connection: ProduceConnection, error: Error, lost: readonly UnderWay[]): void {
    if (this.#connections.get(connection.address) === connection) {
      this.#connections.delete(connection.address);
    }
    const isUnreachable = error instanceof TransportError && error.reason === "unreachable";
    if (isUnreachable) this.#addresses.noteUnreachable(connection.address);
    else this.#addresses.passOver(connection.address);
    const { address } = connection;
    this.#ports.logger.warn({ address, error: error.message }, "produce stream ended");
    this.#metadata.requestRefresh();
    const nowMs = this.#ports.clock.monotonicMs();
    const wasConnected = !isUnreachable || connection.hasAnswered;
    const queues = new Set<PartitionQueue>(this.#held.get(connection));
    this.#held.delete(connection);
    for (const { queue, batch } of lost) {
      queue.lost(batch, error, { nowMs, wasConnected });
      queues.add(queue);
    }
    for (const queue of queues) this.pump(queue);
  }

  /** Ends every stream and timer. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.close();
    for (const timer of this.#retries.values()) timer.cancel();
    this.#connections.clear();
    this.#retries.clear();
    this.#routes.clear();
    this.#held.clear();
    this.#parked.clear();
  }

  /**
   * A broker that lives tells when it stops to lead. One that does not answer, while another leads
   * in its place, hangs: the transport would find out too, but later.
   */
  #leaveHung(connection: ProduceConnection): void {
    const { address } = connection;
    const hasMoved = connection.slow().some(({ queue }) => {
      const leader = this.#metadata.leaderAddress(queue.topic, queue.partition);
      return leader !== undefined && leader !== address && this.#addresses.isUsable(leader);
    });
    if (hasMoved) connection.giveUp(new TransportError("timeout", `${address} does not answer`));
  }

  #connectionFor(queue: PartitionQueue): ProduceConnection | undefined {
    const current = this.#routes.get(queue);
    // Two streams would not keep the order of one partition.
    if (current !== undefined && !current.isEnded && queue.inFlightCount > 0) return current;
    const address = this.#metadata.route(queue.topic, queue.partition);
    if (address === undefined) return undefined;
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    const { acks, requestTimeoutMs } = this.#options;
    const options = { address, acks, timeoutMs: requestTimeoutMs };
    const connection = new ProduceConnection(this.#ports, options, this);
    this.#connections.set(address, connection);
    return connection;
  }

  #hold(connection: ProduceConnection, queue: PartitionQueue): void {
    const held = this.#held.get(connection);
    if (held === undefined) this.#held.set(connection, new Set([queue]));
    else held.add(queue);
  }

  #awaitIdentity(queue: PartitionQueue): void {
    const generation = queue.identityNeededAfter;
    if (generation === undefined) return;
    this.#parked.add(queue);
    this.#identities.request(generation);
  }

  #retryAt(queue: PartitionQueue, atMs: number): void {
    if (this.#retries.has(queue)) return;
    const timer = this.#ports.timers.after(delayUntil(this.#ports.clock, atMs), () => {
      this.#retries.delete(queue);
      this.pump(queue);
    });
    this.#retries.set(queue, timer);
  }
}
