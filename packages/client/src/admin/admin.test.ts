import { BrokerError } from "@strandline/model";
import { type RpcRoute, unaryRoute } from "@strandline/platform";
import { adminMethods, errorToProto } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import { FakeWorld } from "../testing/fake-world.js";
import { Admin } from "./admin.js";

interface Scene {
  readonly world: FakeWorld;
  readonly admin: Admin;
  /** What brokers were asked, with the broker's number. */
  readonly asked: { readonly brokerId: number; readonly request: unknown }[];
}

/** An admin client of brokers that also answer with these routes. */
function scene(routesOf: (log: (request: unknown) => void) => readonly RpcRoute[]): Scene {
  const world = new FakeWorld();
  const asked: { brokerId: number; request: unknown }[] = [];
  for (const [brokerId, address] of world.cluster.brokers) {
    const host = world.network.hosts.get(address);
    if (host === undefined) continue;
    const routes = routesOf((request) => asked.push({ brokerId, request }));
    const replaced = new Set(routes.map((route) => route.method.path));
    host.routes = [...routes, ...host.routes.filter((each) => !replaced.has(each.method.path))];
  }
  return { world, admin: world.client({ topicWaitMs: 1_000 }).admin, asked };
}

describe(Admin, () => {
  it("creates topics with the cluster's defaults where nothing is said", async () => {
    const { world, admin, asked } = scene((log) => [
      unaryRoute(adminMethods.createTopic, async (request) => {
        log(request);
        return { topicId: "id", partitions: 3, replicationFactor: 2 };
      }),
    ]);
    const plain = await world.time.until(admin.createTopic({ name: "t" }));
    expect(plain).toEqual({ topicId: "id", partitions: 3, replicationFactor: 2 });
    const configs = { "retention.ms": "1000" };
    const assignments = [[1, 2], [2]];
    await world.time.until(admin.createTopic({ name: "u", configs, assignments }));
    expect(asked.map((each) => each.request)).toMatchObject([
      { name: "t", partitions: 0, replicationFactor: 0, validateOnly: false },
      {
        name: "u",
        configs: new Map([["retention.ms", "1000"]]),
        assignments: [{ brokerIds: [1, 2] }, { brokerIds: [2] }],
      },
    ]);
  });

  it("does not repeat what may have been done, and says so", async () => {
    const { world, admin, asked } = scene((log) => [
      unaryRoute(adminMethods.createTopic, async (request) => {
        log(request);
        throw new BrokerError("REQUEST_TIMED_OUT", "the controller did not answer");
      }),
      unaryRoute(adminMethods.alterConfigs, async (request) => {
        log(request);
        if (asked.length < 3) throw new BrokerError("REQUEST_TIMED_OUT", "not in time");
        return {};
      }),
    ]);
    const created = admin.createTopic({ name: "t" });
    await expect(world.time.until(created)).rejects.toMatchObject({ code: "REQUEST_TIMED_OUT" });
    expect(asked).toHaveLength(1);
    // To set a value twice is to set it once.
    await world.time.until(admin.alterConfigs({ topic: "t", set: { a: "1" }, remove: ["b"] }));
    expect(asked).toHaveLength(3);
    expect(asked[2]?.request).toMatchObject({
      resource: { type: "TYPE_TOPIC", name: "t" },
      set: new Map([["a", "1"]]),
      remove: ["b"],
    });
  });

  it("repeats what surely was not done, and passes final refusals on at once", async () => {
    const { world, admin, asked } = scene((log) => [
      unaryRoute(adminMethods.createPartitions, async (request) => {
        log(request);
        if (asked.length < 3) throw new BrokerError("NOT_CONTROLLER", "ask again");
        return {};
      }),
      unaryRoute(adminMethods.deleteTopic, async (request) => {
        log(request);
        throw new BrokerError("INVALID_TOPIC_EXCEPTION", "no such name");
      }),
    ]);
    world.network.down("broker-1:9000");
    await world.time.until(admin.createPartitions({ topic: "t", totalCount: 4 }));
    expect(asked).toHaveLength(3);
    expect(asked.every((each) => each.brokerId !== 1)).toBe(true);
    await expect(world.time.until(admin.deleteTopic("t"))).rejects.toThrow("no such name");
    expect(asked).toHaveLength(4);
  });

  it("waits a little for a topic that the asked broker may learn of late", async () => {
    let calls = 0;
    const { world, admin } = scene(() => [
      unaryRoute(adminMethods.describeTopic, async ({ name }) => {
        calls++;
        if (calls < 3) throw new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", "not yet");
        const configs = new Map([["retention.ms", "5"]]);
        return { name, topicId: "id", replicationFactor: 1, configs, partitions: [] };
      }),
    ]);
    const described = await world.time.until(admin.describeTopic("t"));
    expect(described.configs).toEqual({ "retention.ms": "5" });
    calls = -1_000;
    const unknown = admin.describeTopic("t");
    await expect(world.time.until(unknown)).rejects.toMatchObject({
      code: "UNKNOWN_TOPIC_OR_PARTITION",
    });
    expect(world.time.monotonicMs()).toBeLessThan(3_000);
  });

  it("gives each partition its own result", async () => {
    const error = errorToProto(new BrokerError("OFFSET_OUT_OF_RANGE", "beyond the end"));
    const { world, admin, asked } = scene((log) => [
      unaryRoute(adminMethods.deleteRecords, async (request) => {
        log(request);
        return {
          results: [
            { partition: 0, logStartOffset: 5 },
            { partition: 1, logStartOffset: -1, error },
          ],
        };
      }),
      unaryRoute(adminMethods.electLeaders, async () => ({
        results: [{ partition: 0, leaderId: 2 }],
      })),
    ]);
    const targets = [
      { partition: 0, before: "high-watermark" as const },
      { partition: 1, before: 99 },
    ];
    const results = await world.time.until(admin.deleteRecords({ topic: "t", targets }));
    expect(results[0]).toEqual({ partition: 0, logStartOffset: 5, error: undefined });
    expect(results[1]?.error).toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
    expect(asked[0]?.request).toMatchObject({
      targets: [
        { partition: 0, beforeOffset: -1 },
        { partition: 1, beforeOffset: 99 },
      ],
    });
    const elected = await world.time.until(admin.electLeaders({ topic: "t" }));
    expect(elected).toEqual([{ partition: 0, leaderId: 2, error: undefined }]);
  });

  it("lists topics, configs, the cluster and metadata", async () => {
    const entry = { name: "a", value: "1", source: "topic", documentation: "d", type: "int" };
    const listing = { name: "t", topicId: "id", partitions: 1, replicationFactor: 1 };
    const { world, admin, asked } = scene((log) => [
      unaryRoute(adminMethods.listTopics, async () => ({ topics: [listing] })),
      unaryRoute(adminMethods.describeConfigs, async (request) => {
        log(request);
        return { entries: [entry] };
      }),
    ]);
    expect(await world.time.until(admin.listTopics())).toEqual([listing]);
    expect(await world.time.until(admin.describeConfigs({ broker: 3 }))).toEqual([entry]);
    await world.time.until(admin.describeConfigs({ allBrokers: true }));
    expect(asked.map((each) => each.request)).toMatchObject([
      { resource: { type: "TYPE_BROKER", name: "3" } },
      { resource: { type: "TYPE_BROKER", name: "" } },
    ]);
    world.cluster.createTopic("t", 2);
    const metadata = await world.time.until(admin.fetchMetadata(["t", "nope"]));
    expect(metadata.brokers).toHaveLength(3);
    expect(metadata.topics[0]).toMatchObject({ name: "t", topicId: "id-of-t", error: undefined });
    expect(metadata.topics[0]?.partitions.map((each) => each.leaderId)).toEqual([1, 2]);
    expect(metadata.topics[1]?.error).toMatchObject({ code: "UNKNOWN_TOPIC_OR_PARTITION" });
    const described = admin.describeCluster({ timeoutMs: 500 });
    await expect(world.time.until(described)).rejects.toMatchObject({ code: "NOT_CONTROLLER" });
  });

  it("finds the ends of partitions", async () => {
    const { world, admin } = scene(() => []);
    const { partitions } = world.cluster.createTopic("t", 3);
    partitions.forEach((partition, at) => {
      partition.endOffset = 10 + at;
      partition.logStartOffset = at;
    });
    const offsets = async (position: "earliest" | "latest", list?: readonly number[]) => {
      const found = admin.listOffsets({ topic: "t", partitions: list, position });
      return (await world.time.until(found)).map((each) => each.offset);
    };
    expect(await offsets("earliest")).toEqual([0, 1, 2]);
    expect(await offsets("latest", [2, 0])).toEqual([12, 10]);
    const late = { topic: "t", partitions: [0], position: { timestampMs: 1 } };
    expect(await world.time.until(admin.listOffsets(late))).toMatchObject([{ offset: -1 }]);
  });

  it("waits until a topic can be used", async () => {
    const { world, admin } = scene(() => []);
    const waiting = admin.waitForTopic("t");
    await world.time.advance(500);
    world.cluster.createTopic("t", 1);
    world.cluster.moveLeader("t", 0, -1);
    await world.time.advance(500);
    world.cluster.moveLeader("t", 0, 2);
    expect(await world.time.until(waiting)).toMatchObject({ name: "t" });
    const never = admin.waitForTopic("u", { timeoutMs: 1_000 });
    await expect(world.time.until(never)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("gives a call that cannot be repeated all the time that its caller gives", async () => {
    const { world, admin } = scene((log) => [
      unaryRoute(adminMethods.createTopic, async (request) => {
        log(request);
        await new Promise<void>((resolve) => {
          world.time.after(20_000, resolve);
        });
        return { topicId: "id", partitions: 1_000, replicationFactor: 3 };
      }),
    ]);
    const created = admin.createTopic({ name: "t", partitions: 1_000 }, { timeoutMs: 25_000 });
    expect(await world.time.until(created)).toMatchObject({ topicId: "id" });
    const late = admin.createTopic({ name: "u" }, { timeoutMs: 15_000 });
    await expect(world.time.until(late)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("ends at the deadline, and when the caller gives up", async () => {
    const { world, admin } = scene(() => []);
    for (const host of world.network.hosts.values()) host.isSilent = true;
    const late = admin.listTopics({ timeoutMs: 2_000 });
    await expect(world.time.until(late)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(world.time.monotonicMs()).toBeLessThanOrEqual(2_000);
    const controller = new AbortController();
    const given = admin.listTopics({ signal: controller.signal });
    await world.time.advance(10);
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: "ABORTED" });
    expect(world.time.pendingCount).toBe(0);
  });
});
