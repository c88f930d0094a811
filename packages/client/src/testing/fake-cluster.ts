/**
 * Brokers in memory that answer the client's routes. They share one log per partition, so any of
 * them could lead it; a test says who does, who forwards, and what goes wrong.
 */
import { BrokerError } from "@strandline/model";
import {
  type RpcReceiver,
  type RpcRoute,
  streamRoute,
  type Timers,
  unaryRoute,
} from "@strandline/platform";
import {
  adminMethods,
  type ConsumeRequest,
  type ConsumeResponse,
  errorToProto,
  logMethods,
  type ProduceRequest,
  type ProduceResponse,
} from "@strandline/rpc";
import type { FakeNetwork } from "./fake-network.js";
import { FakePartition } from "./fake-partition.js";

interface FakeTopic {
  readonly topicId: string;
  readonly partitions: FakePartition[];
}

/** What to do with a request for the log: undefined to go on. */
export type ProduceFault =
  | { readonly kind: "refuse"; readonly error: BrokerError }
  /** The stream breaks before the request is looked at. */
  | { readonly kind: "lose-request" }
  /** The stream breaks when it was appended, before the answer. */
  | { readonly kind: "lose-answer" }
  /** The stream breaks, and the request is appended all the same, later. */
  | { readonly kind: "haunt"; readonly delayMs: number }
  /** It is appended, and the answer comes later, perhaps after those to later requests. */
  | { readonly kind: "answer-late"; readonly delayMs: number }
  /** No answer, ever. */
  | { readonly kind: "ignore" };

export class FakeCluster {
  readonly network: FakeNetwork;
  readonly topics = new Map<string, FakeTopic>();
  readonly brokers = new Map<number, string>();
  /** True: a broker that does not lead appends and reads all the same, as if it had forwarded. */
  forwards = false;
  /** Asked for every produce request that arrives. */
  onProduce: ((request: ProduceRequest, brokerId: number) => ProduceFault | undefined) | undefined;
  readonly produced: { readonly brokerId: number; readonly request: ProduceRequest }[] = [];
  keepsProduced = true;
  metadataCalls = 0;
  consumeStreams = 0;
  nextProducerId = 1000;
  /** Answers are held back until `releaseAcks`. */
  acksHeld = false;
  logAppendTimeMs: number | undefined;
  readonly #timers: Timers;
  #held: (() => void)[] = [];

  constructor(network: FakeNetwork, timers: Timers, brokerCount: number) {
    this.network = network;
    this.#timers = timers;
    for (let brokerId = 1; brokerId <= brokerCount; brokerId++) {
      const address = `broker-${brokerId}:9000`;
      this.brokers.set(brokerId, address);
      const routes = this.#routes(brokerId);
      network.hosts.set(address, { routes, isUp: true, isSilent: false });
    }
  }

  get bootstrap(): readonly string[] {
    return [...this.brokers.values()];
  }

  address(brokerId: number): string {
    return this.brokers.get(brokerId) ?? "";
  }

  createTopic(name: string, partitionCount: number): FakeTopic {
    const topic: FakeTopic = { topicId: `id-of-${name}`, partitions: [] };
    for (let at = 0; at < partitionCount; at++) {
      topic.partitions.push(new FakePartition((at % this.brokers.size) + 1));
    }
    this.topics.set(name, topic);
    return topic;
  }

  partition(topic: string, partition: number): FakePartition {
    const found = this.topics.get(topic)?.partitions[partition];
    if (found === undefined) {
      throw new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", `no ${topic}-${partition}`);
    }
    return found;
  }

  moveLeader(topic: string, partition: number, leaderId: number): void {
    const found = this.partition(topic, partition);
    found.leaderId = leaderId;
    found.leaderEpoch++;
    for (const listener of found.listeners) listener();
  }

  /** Answers what was held back while `acksHeld`, in order. */
  releaseAcks(): void {
    this.acksHeld = false;
    const held = this.#held;
    this.#held = [];
    for (const release of held) release();
  }

  #routes(brokerId: number): RpcRoute[] {
    return [
      unaryRoute(adminMethods.getMetadata, async (request) => {
        this.metadataCalls++;
        return this.#metadata(request.topics);
      }),
      unaryRoute(adminMethods.describeCluster, async () => {
        throw new BrokerError("NOT_CONTROLLER", "nobody is");
      }),
      unaryRoute(adminMethods.deleteTopic, async ({ name }) => {
        if (!this.topics.delete(name)) {
          throw new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", `no ${name}`);
        }
        return {};
      }),
      unaryRoute(logMethods.initProducerId, async () => ({
        producerId: this.nextProducerId++,
        producerEpoch: 0,
      })),
      unaryRoute(logMethods.listOffsets, async ({ topic, queries }) => ({
        answers: queries.map(({ partition, position }) => {
          const log = this.partition(topic, partition);
          const isEarliest = position?.earliest === true;
          const offset = isEarliest ? log.logStartOffset : log.endOffset;
          const late = position?.timestampMs !== undefined;
          return { partition, offset: late ? -1 : offset, timestampMs: -1, leaderEpoch: 0 };
        }),
      })),
      streamRoute(logMethods.produceStream, (stream) => ({
        onMessage: (request: ProduceRequest) => {
          if (this.keepsProduced) this.produced.push({ brokerId, request });
          this.#produce(brokerId, request, (answer) => {
            if (answer === undefined) stream.abort();
            else stream.send(answer);
          });
        },
        onEnd: () => undefined,
      })),
      streamRoute(logMethods.consume, (stream) => {
        this.consumeStreams++;
        const reader = new FakeReader(this, brokerId, (response) => stream.send(response));
        const receiver: RpcReceiver<ConsumeRequest> = {
          onMessage: (request) => {
            try {
              reader.start(request);
            } catch (error) {
              stream.abort(error instanceof Error ? error : undefined);
            }
          },
          onDrain: () => reader.pump(),
          onEnd: (error) => {
            if (error !== undefined) reader.close();
          },
        };
        return receiver;
      }),
    ];
  }

  #metadata(names: readonly string[]) {
    const brokers = [...this.brokers].map(([brokerId, address]) => ({ brokerId, address }));
    const topics = names.map((name) => {
      const topic = this.topics.get(name);
      if (topic === undefined) {
        const error = errorToProto(new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", "no such topic"));
        return { name, topicId: "", partitions: [], error };
      }
      const partitions = topic.partitions.map(({ leaderId, leaderEpoch }, partition) => ({
        partition,
        leaderId,
        leaderEpoch,
      }));
      return { name, topicId: topic.topicId, partitions };
    });
    return { clusterId: "fake", brokers, topics, metadataOffset: 1 };
  }

  /** Undefined breaks the stream. */
  #produce(
    brokerId: number,
    request: ProduceRequest,
    answer: (response: ProduceResponse | undefined) => void,
  ): void {
    const { correlationId, topic, partition = 0 } = request;
    const { logAppendTimeMs } = this;
    const base = { correlationId, partition, logStartOffset: 0, positions: [], logAppendTimeMs };
    const fault = this.onProduce?.(request, brokerId);
    if (fault?.kind === "ignore") return;
    if (fault?.kind === "haunt") {
      answer(undefined);
      this.#timers.after(fault.delayMs, () => {
        this.#produce(brokerId, request, () => undefined);
      });
      return;
    }
    if (fault?.kind === "lose-request") {
      answer(undefined);
      return;
    }
    try {
      if (fault?.kind === "refuse") throw fault.error;
      const log = this.partition(topic, partition);
      if (log.leaderId !== brokerId && !this.forwards) {
        const error = errorToProto(new BrokerError("NOT_LEADER_OR_FOLLOWER", "not here"));
        answer({ ...base, baseOffset: -1, error, leaderId: log.leaderId });
        return;
      }
      const baseOffset = log.append(request.batch);
      if (fault?.kind === "lose-answer") answer(undefined);
      else if (fault?.kind === "answer-late") {
        this.#timers.after(fault.delayMs, () => answer({ ...base, baseOffset }));
      } else if (this.acksHeld) this.#held.push(() => answer({ ...base, baseOffset }));
      else answer({ ...base, baseOffset });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      answer({ ...base, baseOffset: -1, error: errorToProto(error) });
    }
  }
}

/** One consume stream at one broker. */
class FakeReader {
  readonly #cluster: FakeCluster;
  readonly #brokerId: number;
  readonly #send: (response: ConsumeResponse) => boolean;
  #bytesMax = 0;
  #cursors: { readonly topic: string; readonly partition: number; offset: number }[] = [];
  readonly #wake = (): void => this.pump();

  constructor(
    cluster: FakeCluster,
    brokerId: number,
    send: (response: ConsumeResponse) => boolean,
  ) {
    this.#cluster = cluster;
    this.#brokerId = brokerId;
    this.#send = send;
  }

  /** Throws, as a broker does, when one of the partitions is unknown. */
  start(request: ConsumeRequest): void {
    this.#bytesMax = request.bytesMax;
    for (const { topic, partition } of request.partitions)
      this.#cluster.partition(topic, partition);
    for (const { topic, partition, start } of request.partitions) {
      this.#cursors.push({ topic, partition, offset: start?.offset ?? 0 });
      this.#cluster.partition(topic, partition).listeners.add(this.#wake);
    }
    this.pump();
  }

  close(): void {
    for (const { topic, partition } of this.#cursors) {
      this.#cluster.topics.get(topic)?.partitions[partition]?.listeners.delete(this.#wake);
    }
    this.#cursors = [];
  }

  /** Sends what there is, until the stream wants a pause. */
  pump(): void {
    for (;;) {
      let isIdle = true;
      for (const cursor of this.#cursors.slice()) {
        const { topic, partition } = cursor;
        const base = { topic, partition, highWatermark: 0, logStartOffset: 0, records: [] };
        const log = this.#cluster.partition(topic, partition);
        try {
          if (log.leaderId !== this.#brokerId && !this.#cluster.forwards) {
            throw new BrokerError("NOT_LEADER_OR_FOLLOWER", "not here");
          }
          if (cursor.offset === log.endOffset) continue;
          const { bytes, next } = log.read(cursor.offset, this.#bytesMax);
          cursor.offset = next;
          isIdle = false;
          const { endOffset: highWatermark, logStartOffset } = log;
          const answer = { ...base, highWatermark, logStartOffset, nextOffset: next };
          if (!this.#send({ ...answer, batches: bytes })) return;
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
          this.#cursors.splice(this.#cursors.indexOf(cursor), 1);
          const answer = { ...base, nextOffset: -1, batches: new Uint8Array(0) };
          this.#send({ ...answer, error: errorToProto(error) });
        }
      }
      if (isIdle) return;
    }
  }
}
