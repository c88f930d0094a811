/** The Kafka door of a cluster that one file of tests has for itself, and raw connections to it. */
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { startCluster, type TestCluster } from "../cluster.js";
import { RawKafka } from "./raw-kafka.js";

export interface TestTopic {
  readonly name: string;
  readonly id: string;
  /** By partition: the broker that leads it. */
  readonly leaders: readonly number[];
}

export class KafkaDoor {
  readonly #dialed: RawKafka[] = [];
  #cluster: TestCluster | undefined;
  #topics = 0;

  /** A door that is open while the tests of the calling file run; connections end with each test. */
  static forTests(): KafkaDoor {
    const door = new KafkaDoor();
    beforeAll(async () => {
      door.#cluster = await startCluster();
    }, 60_000);
    afterAll(async () => {
      await door.#cluster?.close();
    });
    afterEach(() => {
      for (const raw of door.#dialed.splice(0)) raw.close();
    });
    return door;
  }

  get cluster(): TestCluster {
    if (this.#cluster === undefined) throw new Error("the cluster starts before the first test");
    return this.#cluster;
  }

  address(broker: number): string {
    return this.cluster.kafkaBootstrap[broker - 1] as string;
  }

  /** A broker that is not this one. */
  otherThan(broker: number): number {
    return (broker % 3) + 1;
  }

  async dial(broker = 1): Promise<RawKafka> {
    const raw = await RawKafka.dial(this.address(broker));
    this.#dialed.push(raw);
    return raw;
  }

  async newTopic(
    partitions = 1,
    configs: readonly { name: string; value: string }[] = [],
  ): Promise<TestTopic> {
    this.#topics += 1;
    const name = `topic-${this.#topics}`;
    const raw = await this.dial();
    const topic = { name, numPartitions: partitions, replicationFactor: 3 };
    const created = await raw.call("CreateTopics", 7, {
      topics: [{ ...topic, assignments: [], configs }],
    });
    expect(created.topics[0]).toMatchObject({ name, errorCode: 0, numPartitions: partitions });
    const { topics } = await raw.call("Metadata", 12, { topics: [{ name }] } as never);
    return {
      name,
      id: topics[0]?.topicId ?? "",
      leaders: topics[0]?.partitions.map(({ leaderId }) => leaderId) ?? [],
    };
  }
}
