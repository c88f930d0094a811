/** The client of one cluster: makes producers and consumers, and shares what they all need. */
import { Admin } from "./admin/admin.js";
import {
  type ClientOptions,
  type ResolvedClientOptions,
  resolveClientOptions,
} from "./client-options.js";
import { ClusterConnection } from "./cluster/cluster-connection.js";
import { Consumer } from "./consumer/consumer.js";
import { type ConsumerOptions, resolveConsumerOptions } from "./consumer/consumer-options.js";
import { ClientError } from "./errors.js";
import { GroupConsumer } from "./group/group-consumer.js";
import {
  type GroupConsumerOptions,
  resolveGroupConsumerOptions,
} from "./group/group-consumer-options.js";
import { Groups } from "./group/groups.js";
import type { ClientPorts } from "./ports.js";
import { Producer } from "./producer/producer.js";
import { type ProducerOptions, resolveProducerOptions } from "./producer/producer-options.js";

export class StrandlineClient {
  readonly admin: Admin;
  readonly groups: Groups;
  readonly #ports: ClientPorts;
  readonly #options: ResolvedClientOptions;
  readonly #cluster: ClusterConnection;
  readonly #producers = new Set<Producer>();
  readonly #consumers = new Set<Consumer | GroupConsumer>();
  readonly #onClosed: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Connects when something is first asked for. `onClosed` lets go of what the maker owns, such as
   * the transport. Throws `INVALID_ARGUMENT`.
   */
  constructor(
    ports: ClientPorts,
    options: ClientOptions,
    owner: { readonly onClosed?: () => Promise<void> } = {},
  ) {
    this.#onClosed = owner.onClosed;
    this.#options = resolveClientOptions(options);
    const logger = ports.logger.child({ clientId: this.#options.clientId });
    this.#ports = { ...ports, logger };
    this.#cluster = new ClusterConnection(this.#ports, this.#options);
    this.admin = new Admin(this.#ports, this.#options, this.#cluster);
    this.groups = new Groups(this.#cluster);
  }

  /** A producer, closed with the client if not before. Throws `INVALID_ARGUMENT`. */
  producer(options: ProducerOptions = {}): Producer {
    this.#refuseClosed();
    const resolved = { client: this.#options, producer: resolveProducerOptions(options) };
    const producer: Producer = new Producer(this.#ports, resolved, {
      cluster: this.#cluster,
      onClosed: () => this.#producers.delete(producer),
    });
    this.#producers.add(producer);
    return producer;
  }

  /** A consumer, closed with the client if not before. Throws `INVALID_ARGUMENT`. */
  consumer(options: ConsumerOptions = {}): Consumer {
    this.#refuseClosed();
    const resolved = { client: this.#options, consumer: resolveConsumerOptions(options) };
    const consumer: Consumer = new Consumer(this.#ports, resolved, {
      cluster: this.#cluster,
      onClosed: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  /**
   * A member of a consumer group, which joins at once; closed with the client if not before. Throws
   * `INVALID_ARGUMENT`.
   */
  groupConsumer(options: GroupConsumerOptions): GroupConsumer {
    this.#refuseClosed();
    const resolved = { client: this.#options, group: resolveGroupConsumerOptions(options) };
    const consumer: GroupConsumer = new GroupConsumer(this.#ports, resolved, {
      cluster: this.#cluster,
      onClosed: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  /**
   * Closes producers, which waits for their records, consumers, and every call under way. Rejects
   * when a producer's `close` does, but is closed all the same. Idempotent.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map(async (consumer) => await consumer.close()));
    const closed = [...this.#producers].map(async (producer) => await producer.close());
    const outcomes = await Promise.allSettled(closed);
    this.#cluster.close();
    await this.#onClosed?.();
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new ClientError("CLIENT_CLOSED", "the client is closed");
  }
}
