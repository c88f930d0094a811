/**
 * A client machine of the cluster scenario: the production client, writing records that are all
 * different and reading everything back, and telling the checkers what it was told.
 */
import { ClientError, StrandlineClient } from "@strandline/client";
import { BrokerError } from "@strandline/model";
import type { App, NodePorts } from "../../node-ports.js";
import { CLIENT_PORT, nodeName } from "./cluster-node.js";
import { keyedRecord, type PayloadRecord, payloadOf, plainRecord } from "./keyed-payload.js";

export const TOPIC = "simulated";
const RETRY_MS = 500;
const IN_FLIGHT_MAX = 50;

/**
 * Little segments, compacted whenever there is something to do. Tombstones outlive the run: what
 * becomes of a replica that was away for longer than they stay is not what is tested here.
 */
const COMPACTED = {
  "cleanup.policy": "compact",
  "segment.bytes": "8192",
  "min.cleanable.dirty.ratio": "0.1",
  "delete.retention.ms": "1000000000",
};

export interface ClusterClientOptions {
  readonly nodes: readonly number[];
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly recordBytesMax: number;
  /** Records per turn, and the pause between turns, at most. */
  readonly burstMax: number;
  readonly pauseMsMax: number;
  /** How many keys there are in a topic that is compacted; undefined: it is not. */
  readonly keyCount: number | undefined;
  /** Something that must not happen to a client. */
  report(problem: string): void;
}

export class ClusterClient implements App {
  readonly #ports: NodePorts;
  readonly #options: ClusterClientOptions;
  readonly #client: StrandlineClient;
  #topicId = "";
  #acknowledgedCount = 0;
  #inFlight = 0;
  #isStopped = false;

  constructor(ports: NodePorts, options: ClusterClientOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#client = new StrandlineClient(ports, {
      bootstrap: options.nodes.map((id) => `${nodeName(id)}:${CLIENT_PORT}`),
    });
  }

  /** Records of this client that are acknowledged. */
  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  /** No more is written; what is under way is settled. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Every record that was sent has its answer. */
  get isAnswered(): boolean {
    return this.#inFlight === 0;
  }

  async close(): Promise<void> {
    this.stop();
    await this.#client.close();
  }

  async run(): Promise<void> {
    await this.#untilTopic();
    await Promise.all([this.#produce(), this.#consume()]);
  }

  async #untilTopic(): Promise<void> {
    while (this.#topicId === "") {
      try {
        await this.#client.admin.createTopic({
          name: TOPIC,
          partitions: this.#options.partitions,
          replicationFactor: this.#options.replicationFactor,
          ...(this.#options.keyCount === undefined ? {} : { configs: COMPACTED }),
        });
      } catch (error) {
        if (!isExpected(error)) throw error;
      }
      try {
        this.#topicId = (await this.#client.admin.describeTopic(TOPIC)).topicId;
      } catch (error) {
        if (!isExpected(error)) throw error;
        await this.#pass(RETRY_MS);
      }
    }
  }

  async #produce(): Promise<void> {
    const { random, host } = this.#ports;
    const producer = this.#client.producer({ lingerMs: random.below(10), batchBytesMax: 4_096 });
    for (let number = 0; !this.#isStopped; ) {
      const burst = 1 + random.below(this.#options.burstMax);
      for (let at = 0; at < burst && this.#inFlight < IN_FLIGHT_MAX; at += 1) {
        const filler = "x".repeat(random.below(this.#options.recordBytesMax));
        const { payload, record } = this.#record(
          `${host}/${this.#ports.generation}/${number}/${filler}`,
        );
        number += 1;
        this.#inFlight += 1;
        const partition = random.below(this.#options.partitions);
        producer.send({ topic: TOPIC, partition, ...record }).then(
          (stored) => {
            this.#inFlight -= 1;
            this.#acknowledgedCount += 1;
            this.#ports.observe({
              kind: "acknowledged",
              partition: `${this.#topicId}-${stored.partition}`,
              offset: stored.offset,
              payload,
            });
          },
          (error: unknown) => {
            this.#inFlight -= 1;
            // Not acknowledged: it may be stored or not, but never twice.
            if (!isExpected(error)) this.#options.report(`send failed: ${String(error)}`);
          },
        );
      }
      await this.#pass(random.below(this.#options.pauseMsMax));
    }
  }

  #record(text: string): { payload: string; record: PayloadRecord } {
    const { keyCount } = this.#options;
    if (keyCount === undefined) return { payload: text, record: plainRecord(text) };
    const { random } = this.#ports;
    const payload = `key-${random.below(keyCount)} ${text}`;
    return { payload, record: keyedRecord(payload, random.below(10) === 0) };
  }

  async #consume(): Promise<void> {
    const positions = Array.from({ length: this.#options.partitions }, () => 0);
    while (!this.#isStopped) {
      const consumer = this.#client.consumer();
      try {
        await consumer.assign(
          positions.map((offset, partition) => ({ topic: TOPIC, partition, start: { offset } })),
        );
        for await (const record of consumer) {
          const { partition, offset } = record;
          positions[partition] = offset + 1;
          this.#ports.observe({
            kind: "consumed",
            consumer: this.#ports.host,
            partition: `${this.#topicId}-${partition}`,
            offset,
            payload: payloadOf(record),
          });
          if (this.#isStopped) break;
        }
      } catch (error) {
        // A position that a consumer was given is one that the next leader must know.
        if (error instanceof BrokerError && error.code === "OFFSET_OUT_OF_RANGE") {
          this.#options.report(`a consumer's position is out of range: ${error.message}`);
        } else if (!isExpected(error)) throw error;
        await this.#pass(RETRY_MS);
      } finally {
        await consumer.close();
      }
    }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.timers.after(ms, resolve);
    });
  }
}

/** Refusals and timeouts are what faults do; anything else is a bug. */
function isExpected(error: unknown): boolean {
  return error instanceof BrokerError || error instanceof ClientError;
}
