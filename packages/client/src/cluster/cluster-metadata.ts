/**
 * What the client knows of the cluster: brokers, topics, and who leads which partition.
 *
 * Answers of different brokers arrive in any order and may be old. A partition's leader is only
 * replaced by one of a later or equal leader epoch, so a lagging broker cannot undo what is known.
 */
import { BrokerError } from "@strandline/model";
import { adminMethods, type GetMetadataResponse, type TopicMetadata } from "@strandline/rpc";
import { backoffMs } from "../backoff.js";
import type { ResolvedClientOptions } from "../client-options.js";
import { asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { sleep, unlessAborted } from "../waits.js";
import type { AddressBook } from "./address-book.js";
import type { BrokerCaller } from "./broker-caller.js";

export interface PartitionView {
  readonly partition: number;
  /** -1: nobody leads it. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface TopicView {
  readonly name: string;
  readonly topicId: string;
  /** Index is the partition's number. */
  readonly partitions: readonly PartitionView[];
}

/** Longest that the check of an address that was unreachable may take. */
const PROBE_TIMEOUT_MS = 5_000;

const READ_POLICY = { isRepeatable: true, mayLag: false, isQuick: true } as const;

interface Refresh {
  readonly topics: ReadonlySet<string>;
  readonly promise: Promise<void>;
}

export class ClusterMetadata {
  readonly #ports: ClientPorts;
  readonly #options: ResolvedClientOptions;
  readonly #addresses: AddressBook;
  readonly #caller: BrokerCaller;
  readonly #topics = new Map<string, TopicView>();
  /** Asked for with every refresh. */
  readonly #wanted = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #probing = new Set<string>();
  readonly #closing = new AbortController();
  #clusterId = "";
  #refreshing: Refresh | undefined;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    ports: ClientPorts,
    options: ResolvedClientOptions,
    parts: { readonly addresses: AddressBook; readonly caller: BrokerCaller },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#addresses = parts.addresses;
    this.#caller = parts.caller;
  }

  /** Empty until the first answer. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** The topic as last heard of, at once; undefined when it never was or is gone. */
  topic(name: string): TopicView | undefined {
    return this.#topics.get(name);
  }

  /**
   * The topic, asked for when it is not known. Throws `UNKNOWN_TOPIC_OR_PARTITION` once brokers
   * that could have learned of it meanwhile still do not know it.
   */
  async topicOf(name: string, signal?: AbortSignal): Promise<TopicView> {
    return await this.#until(name, signal, (topic) => topic);
  }

  /** The topic once it has this partition; throws `UNKNOWN_TOPIC_OR_PARTITION` as `topicOf`. */
  async partitionOf(name: string, partition: number, signal?: AbortSignal): Promise<TopicView> {
    return await this.#until(name, signal, (topic) =>
      partition < topic.partitions.length ? topic : undefined,
    );
  }

  /** Where the leader of a partition is said to be; undefined while nobody is known to lead it. */
  leaderAddress(name: string, partition: number): string | undefined {
    const leaderId = this.#topics.get(name)?.partitions[partition]?.leaderId ?? -1;
    const address = leaderId < 0 ? undefined : this.#addresses.addressOf(leaderId);
    if (address !== undefined && this.#addresses.mayProbe(address)) this.#probe(address);
    return address;
  }

  /**
   * Where to send requests for a partition: its leader, or any other broker while the leader's
   * address does not answer. Undefined while nobody is known to lead it.
   */
  route(name: string, partition: number): string | undefined {
    const address = this.leaderAddress(name, partition);
    if (address === undefined || this.#addresses.isUsable(address)) return address;
    const other = this.#addresses.candidates()[0];
    return other !== undefined && this.#addresses.isUsable(other) ? other : address;
  }

  /** Takes over who leads, as told by a broker's refusal. True when that is news. */
  noteLeader(name: string, partition: number, leaderId: number): boolean {
    const topic = this.#topics.get(name);
    const known = topic?.partitions[partition];
    if (topic === undefined || known === undefined || known.leaderId === leaderId) return false;
    if (this.#addresses.addressOf(leaderId) === undefined) return false;
    const partitions = [...topic.partitions];
    partitions[partition] = { ...known, leaderId };
    this.#topics.set(name, { ...topic, partitions });
    return true;
  }

  /** Asks again for everything in use. Throws when no broker answers within the deadline. */
  async refresh(signal?: AbortSignal): Promise<void> {
    const running = this.#refreshing;
    const isCovered = running !== undefined && isSubset(this.#wanted, running.topics);
    await unlessAborted(isCovered ? running.promise : this.#startRefresh(running), signal);
  }

  /** Sees to it that metadata is asked for soon. Failures are logged: the next need asks again. */
  requestRefresh(): void {
    if (this.#refreshing !== undefined || this.#closing.signal.aborted) return;
    this.refresh().catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#ports.logger.warn({ error: asError(error).message }, "could not refresh metadata");
    });
  }

  /** As `requestRefresh`, when what is known is older than this, or has its maximal age. */
  refreshIfOld(ageMsMax = this.#options.metadataAgeMsMax): void {
    const ageMs = this.#ports.clock.monotonicMs() - this.#refreshedAtMs;
    if (ageMs > ageMsMax) this.requestRefresh();
  }

  /** Calls `listener` after every answer, until the returned function is called. */
  onUpdate(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all waiting with `CLIENT_CLOSED`. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#listeners.clear();
  }

  async #until(
    name: string,
    signal: AbortSignal | undefined,
    pick: (topic: TopicView) => TopicView | undefined,
  ): Promise<TopicView> {
    this.#wanted.add(name);
    const known = this.#topics.get(name);
    const picked = known === undefined ? undefined : pick(known);
    if (picked !== undefined) return picked;
    const startMs = this.#ports.clock.monotonicMs();
    for (let failures = 1; ; failures++) {
      // Again, because somebody else may have given up on the topic meanwhile.
      this.#wanted.add(name);
      await this.refresh(signal);
      const heard = this.#topics.get(name);
      const found = heard === undefined ? undefined : pick(heard);
      if (found !== undefined) return found;
      const waitMs = backoffMs(this.#ports.random, this.#options, failures);
      if (this.#ports.clock.monotonicMs() + waitMs > startMs + this.#options.topicWaitMs) {
        if (heard === undefined) this.#wanted.delete(name);
        throw unknownTopic(name, heard);
      }
      await this.#sleep(waitMs, signal);
    }
  }

  async #sleep(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const pause = sleep(this.#ports.timers, waitMs, this.#closing.signal);
    try {
      await unlessAborted(pause, signal);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
      throw new ClientError("CLIENT_CLOSED", "the client is closed");
    }
  }

  /** One refresh at a time; a topic wanted after it began needs another one. */
  #startRefresh(after: Refresh | undefined): Promise<void> {
    const topics = new Set(this.#wanted);
    const promise = this.#ask(topics, after?.promise);
    const refresh: Refresh = { topics, promise };
    this.#refreshing = refresh;
    const done = (): void => {
      if (this.#refreshing === refresh) this.#refreshing = undefined;
    };
    promise.then(done, done);
    return promise;
  }

  async #ask(topics: ReadonlySet<string>, after: Promise<void> | undefined): Promise<void> {
    await after?.catch(() => undefined);
    const request = { topics: [...topics] };
    const response = await this.#caller.call(adminMethods.getMetadata, request, READ_POLICY);
    this.#apply(response);
  }

  #apply(response: GetMetadataResponse): void {
    this.#clusterId = response.clusterId;
    this.#refreshedAtMs = this.#ports.clock.monotonicMs();
    // A broker that just started may know of none yet; the bootstrap list stays in use anyway.
    if (response.brokers.length > 0) {
      const brokers = response.brokers.filter((broker) => broker.address !== "");
      this.#addresses.setBrokers(
        new Map(brokers.map((broker) => [broker.brokerId, broker.address])),
      );
    }
    for (const topic of response.topics) this.#applyTopic(topic);
    for (const listener of this.#listeners) listener();
  }

  #applyTopic(heard: TopicMetadata): void {
    if (heard.error !== undefined) {
      if (heard.error.code === "UNKNOWN_TOPIC_OR_PARTITION") this.#topics.delete(heard.name);
      return;
    }
    const known = this.#topics.get(heard.name);
    const isSame = known !== undefined && known.topicId === heard.topicId;
    const partitions = [...heard.partitions].sort((a, b) => a.partition - b.partition);
    // Another id is another topic of the same name: nothing of the old one holds for it.
    const merged = partitions.map((partition) => {
      const before = isSame ? known.partitions[partition.partition] : undefined;
      return before !== undefined && before.leaderEpoch > partition.leaderEpoch
        ? before
        : partition;
    });
    if (isSame) merged.push(...known.partitions.slice(merged.length));
    this.#topics.set(heard.name, {
      name: heard.name,
      topicId: heard.topicId,
      partitions: merged,
    });
  }

  /** Asks an address that was unreachable, so that no record has to find out whether it is. */
  #probe(address: string): void {
    if (this.#probing.has(address) || this.#closing.signal.aborted) return;
    this.#probing.add(address);
    this.#caller
      .callOne(address, adminMethods.getMetadata, { topics: [] }, PROBE_TIMEOUT_MS)
      .catch(() => this.#addresses.noteUnreachable(address))
      .finally(() => this.#probing.delete(address))
      .catch(() => undefined);
  }
}

function isSubset(small: ReadonlySet<string>, large: ReadonlySet<string>): boolean {
  for (const item of small) if (!large.has(item)) return false;
  return true;
}

function unknownTopic(name: string, heard: TopicView | undefined): BrokerError {
  const message =
    heard === undefined
      ? `there is no topic "${name}"; create it first, or check the name`
      : `topic "${name}" has only ${heard.partitions.length} partitions`;
  return new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", message);
}
