import { unaryRoute } from "@strandline/platform";
import { adminMethods } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import { resolveClientOptions } from "../client-options.js";
import { FakeWorld } from "../testing/fake-world.js";
import { ClusterConnection } from "./cluster-connection.js";
import { ClusterMetadata } from "./cluster-metadata.js";

function connection(world: FakeWorld, bootstrap = world.cluster.bootstrap): ClusterConnection {
  return new ClusterConnection(world.ports, resolveClientOptions({ bootstrap }));
}

describe(ClusterMetadata, () => {
  it("asks once for everybody who asks at the same time", async () => {
    const world = new FakeWorld();
    world.network.latencyMs = 5;
    world.cluster.createTopic("t", 2);
    world.cluster.createTopic("u", 1);
    const { metadata } = connection(world);
    const asked = Promise.all([metadata.topicOf("t"), metadata.topicOf("t"), metadata.refresh()]);
    // Not covered by the call under way: it needs one more.
    const another = metadata.topicOf("u");
    await world.time.until(asked);
    expect((await world.time.until(another)).partitions).toHaveLength(1);
    expect(world.cluster.metadataCalls).toBe(2);
    expect(metadata.clusterId).toBe("fake");
    expect(metadata.topic("t")?.partitions.map((each) => each.leaderId)).toEqual([1, 2]);
  });

  it("is not taken back by a broker that lags behind", async () => {
    const world = new FakeWorld();
    const { partitions } = world.cluster.createTopic("t", 1);
    const { metadata } = connection(world);
    world.cluster.moveLeader("t", 0, 2);
    await world.time.until(metadata.topicOf("t"));
    Object.assign(partitions[0] ?? {}, { leaderId: 1, leaderEpoch: 0 });
    await world.time.until(metadata.refresh());
    expect(metadata.topic("t")?.partitions[0]?.leaderId).toBe(2);
    // Another topic of the same name begins anew.
    Object.assign(world.cluster.topics.get("t") ?? {}, { topicId: "another" });
    await world.time.until(metadata.refresh());
    expect(metadata.topic("t")?.partitions[0]?.leaderId).toBe(1);
  });

  it("takes a broker's word for who leads, if it knows where that is", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const { metadata } = connection(world);
    expect(metadata.noteLeader("t", 0, 2)).toBe(false);
    await world.time.until(metadata.topicOf("t"));
    expect(metadata.noteLeader("t", 0, 2)).toBe(true);
    expect(metadata.route("t", 0)).toBe("broker-2:9000");
    expect(metadata.noteLeader("t", 0, 2)).toBe(false);
    expect(metadata.noteLeader("t", 0, 99)).toBe(false);
  });

  it("routes around an address that does not answer, and back when it does", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const { metadata, addresses } = connection(world);
    await world.time.until(metadata.topicOf("t"));
    expect(metadata.route("t", 0)).toBe("broker-1:9000");
    addresses.noteUnreachable("broker-1:9000");
    expect(metadata.route("t", 0)).not.toBe("broker-1:9000");
    await world.time.advance(1_100);
    // Time to look: the address is asked, not the records sent there.
    metadata.route("t", 0);
    await world.time.advance(10);
    expect(metadata.route("t", 0)).toBe("broker-1:9000");
    for (const address of world.cluster.bootstrap) addresses.noteUnreachable(address);
    expect(metadata.route("t", 0)).toBe("broker-1:9000");
    world.cluster.moveLeader("t", 0, -1);
    await world.time.until(metadata.refresh());
    expect(metadata.route("t", 0)).toBeUndefined();
  });

  it("finds brokers that took the place of the bootstrap list", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const { metadata } = connection(world, ["broker-1:9000"]);
    await world.time.until(metadata.topicOf("t"));
    world.network.down("broker-1:9000");
    await world.time.until(metadata.refresh());
    expect(world.cluster.metadataCalls).toBe(2);
  });

  it("asks again by itself when what it knows is old", async () => {
    const world = new FakeWorld();
    const { metadata } = connection(world);
    await world.time.until(metadata.refresh());
    metadata.refreshIfOld();
    await world.time.advance(300_001);
    expect(world.cluster.metadataCalls).toBe(1);
    metadata.refreshIfOld();
    await world.time.advance(10);
    expect(world.cluster.metadataCalls).toBe(2);
  });

  it("ends its waits when it is closed", async () => {
    const world = new FakeWorld();
    for (const host of world.network.hosts.values()) {
      host.routes = [
        unaryRoute(adminMethods.getMetadata, async () => await new Promise<never>(() => undefined)),
      ];
    }
    const cluster = connection(world);
    const asked = cluster.metadata.topicOf("t");
    const outcome = expect(asked).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
    await world.time.settle();
    cluster.close();
    await outcome;
    await world.time.settle();
    expect(world.time.pendingCount).toBe(0);
  });
});
