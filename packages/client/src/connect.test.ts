import { type Listener, nodeTimers, nullLogger } from "@strandline/platform";
import { GrpcTransport } from "@strandline/rpc";
import { afterEach, describe, expect, it } from "vitest";
import { connect } from "./connect.js";
import { FakeCluster } from "./testing/fake-cluster.js";
import { FakeNetwork } from "./testing/fake-network.js";

/** The fake brokers' routes, served over real gRPC on ports of this machine. */
class ServedCluster {
  readonly cluster = new FakeCluster(new FakeNetwork(nodeTimers), nodeTimers, 2);
  readonly transport = new GrpcTransport({ logger: nullLogger });
  readonly listeners = new Map<number, Listener>();

  async start(): Promise<void> {
    for (const [brokerId, address] of this.cluster.brokers) {
      const routes = this.cluster.network.hosts.get(address)?.routes ?? [];
      const listener = await this.transport.listen("127.0.0.1", 0, routes);
      this.listeners.set(brokerId, listener);
      this.cluster.brokers.set(brokerId, `127.0.0.1:${listener.port}`);
    }
  }

  async stop(): Promise<void> {
    for (const listener of this.listeners.values()) await listener.close();
    await this.transport.close();
  }
}

describe(connect, () => {
  let served: ServedCluster;
  afterEach(async () => await served.stop());

  async function serve(): Promise<FakeCluster> {
    served = new ServedCluster();
    await served.start();
    return served.cluster;
  }

  it("sends and reads over gRPC", async () => {
    const cluster = await serve();
    cluster.createTopic("t", 4);
    const client = connect({ bootstrap: cluster.bootstrap });
    const producer = client.producer({ compression: "lz4" });
    const records = Array.from({ length: 5_000 }, (_each, at) => ({
      topic: "t",
      key: `key ${at % 100}`,
      value: `value ${at}`,
    }));
    await producer.sendMany(records);
    const consumer = client.consumer({ stopAtEnd: true, prefetchBytesMax: 10_000 });
    await consumer.assign(
      [0, 1, 2, 3].map((partition) => ({ topic: "t", partition, start: "earliest" as const })),
    );
    const text = new TextDecoder();
    const lastOfKey = new Map<string, number>();
    let count = 0;
    for await (const record of consumer) {
      const key = text.decode(record.key ?? undefined);
      const at = Number(text.decode(record.value ?? undefined).slice("value ".length));
      expect(at).toBeGreaterThan(lastOfKey.get(key) ?? -1);
      lastOfKey.set(key, at);
      count++;
    }
    expect(count).toBe(5_000);
    await client.close();
  });

  it("goes on when a broker ends, with what was under way", async () => {
    const cluster = await serve();
    cluster.createTopic("t", 1);
    const client = connect({ bootstrap: cluster.bootstrap });
    const consumer = client.consumer();
    await consumer.assign([{ topic: "t", partition: 0, start: "earliest" }]);
    const producer = client.producer({ lingerMs: 1, batchBytesMax: 2_000 });
    const sent: Promise<unknown>[] = [];
    let closing: Promise<void> | undefined;
    for (let at = 0; at < 2_000; at++) {
      sent.push(producer.send({ topic: "t", value: `${at}` }));
      if (at % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (at === 1_000) {
        cluster.moveLeader("t", 0, 2);
        closing = served.listeners.get(1)?.close();
      }
    }
    await Promise.all(sent);
    await closing;
    let next = 0;
    for await (const record of consumer) {
      expect(record.offset).toBe(next);
      expect(new TextDecoder().decode(record.value ?? undefined)).toBe(`${next}`);
      next++;
      if (next === 2_000) break;
    }
    await client.close();
  });

  it("says that no broker answers", async () => {
    await serve();
    const client = connect({ bootstrap: ["127.0.0.1:1"], requestTimeoutMs: 300 });
    await expect(client.admin.listTopics()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await client.close();
    await expect(client.admin.listTopics()).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
    expect(() => connect({ bootstrap: [] })).toThrow(/at least one address/);
    expect(() => connect({ bootstrap: ["nowhere"] })).toThrow(/host:port/);
  });

  it("passes a broker's refusal on", async () => {
    const cluster = await serve();
    cluster.createTopic("t", 1);
    const client = connect({ bootstrap: cluster.bootstrap, topicWaitMs: 100 });
    await client.admin.deleteTopic("t");
    await expect(client.admin.deleteTopic("t")).rejects.toMatchObject({
      name: "BrokerError",
      code: "UNKNOWN_TOPIC_OR_PARTITION",
    });
    await client.close();
  });
});
