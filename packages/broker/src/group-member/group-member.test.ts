import { describe, expect, it } from "vitest";
import { MemberWorld } from "./testing/member-world.js";

const EAGER = { assignors: ["range"] };

async function committed(world: MemberWorld): Promise<Record<number, number>> {
  const answer = await world.ask({ kind: "fetch-offsets", groupId: "g", topics: undefined });
  const entries = answer.topics.flatMap(({ partitions }) =>
    partitions.map(({ partition, offset }) => [partition, offset] as const),
  );
  return Object.fromEntries(entries);
}

async function stateOf(world: MemberWorld): Promise<string> {
  return (await world.ask({ kind: "describe", groupId: "g" })).state;
}

describe("a member that the broker stands in for", () => {
  it("reads everything when it is alone, from where the group has come", async () => {
    const world = new MemberWorld();
    const nobody = { memberId: "", instanceId: undefined, generation: -1, retentionMs: undefined };
    const offset = { partition: 2, offset: 7, leaderEpoch: -1, metadata: "" };
    const topics = [{ topic: "t", partitions: [offset] }];
    await world.ask({ kind: "commit", groupId: "g", ...nobody, topics });
    const one = world.member();
    await world.pass(0);
    expect(one.news()).toEqual(["assigned 0,1,2@7,3"]);
    const starts = world.readings.map(({ start }) => start);
    const earliest = { earliest: true };
    expect(starts).toEqual([earliest, earliest, { offset: 7 }, earliest]);
  });

  it("gives up only what moves when its assignor is cooperative", async () => {
    const world = new MemberWorld();
    const one = world.member();
    await world.pass(0);
    one.news();
    const two = world.member();
    await world.pass(6_000);
    expect(one.news()).toEqual(["assigned ", "revoked 0,1", "assigned "]);
    expect(two.news().filter((text) => text !== "assigned ")).toEqual(["assigned 0,1"]);
    const open = world.readings.filter(({ isOpen }) => isOpen);
    expect(open.map(({ partition }) => partition)).toEqual([2, 3, 0, 1]);
  });

  it("gives up everything before it joins again when its assignor is not", async () => {
    const world = new MemberWorld();
    const one = world.member(EAGER);
    await world.pass(0);
    one.news();
    const two = world.member(EAGER);
    await world.pass(3_000);
    expect(one.news()).toEqual(["revoked 0,1,2,3", "assigned 0,1"]);
    expect(two.news()).toEqual(["assigned 2,3"]);
  });

  it("commits what it is done with before it lets go, and nothing after that", async () => {
    const world = new MemberWorld();
    const one = world.member(EAGER);
    await world.pass(0);
    one.releasesAtOnce = false;
    world.member(EAGER);
    await world.pass(2_500);
    one.commit(1, 3, 9);
    one.member.release(one.lastRevocationId);
    await world.pass(3_000);
    one.commit(2, 3, 4);
    await world.pass(0);
    expect(one.news().filter((text) => text.startsWith("commit"))).toEqual([
      "commit 1 done",
      "commit 2 ILLEGAL_GENERATION",
    ]);
    expect(await committed(world)).toEqual({ 3: 9 });
  });

  it("waits for a client that is not done, but not for ever, and stays a member meanwhile", async () => {
    const world = new MemberWorld();
    const one = world.member(EAGER);
    await world.pass(0);
    one.releasesAtOnce = false;
    const two = world.member(EAGER);
    await world.pass(9_000);
    expect(two.news()).toEqual([]);
    await world.pass(6_000);
    expect(two.news()).toEqual(["assigned 2,3"]);
    expect(one.news()).toEqual(["assigned 0,1,2,3", "revoked 0,1,2,3", "assigned 0,1"]);
  });

  it("loses everything when it has not heard of the coordinator for a session", async () => {
    const world = new MemberWorld();
    const one = world.member();
    await world.pass(0);
    one.news();
    world.outage = "COORDINATOR_NOT_AVAILABLE";
    await world.pass(11_000);
    expect(one.news()).toEqual([]);
    await world.pass(4_000);
    expect(one.news()).toEqual(["lost 0,1,2,3"]);
    expect(world.readings.some(({ isOpen }) => isOpen)).toBe(false);
    world.outage = undefined;
    await world.pass(3_000);
    expect(one.news()).toEqual(["assigned 0,1,2,3"]);
  });

  it("loses everything it kept when a member joins that is not cooperative", async () => {
    const world = new MemberWorld();
    const one = world.member();
    await world.pass(0);
    one.news();
    const two = world.member(EAGER);
    await world.pass(3_000);
    expect(one.news()).toEqual(["lost 0,1,2,3", "assigned 0,1"]);
    expect(two.news()).toEqual(["assigned 2,3"]);
  });

  it("takes in a topic that has grown, or that comes to be", async () => {
    const world = new MemberWorld();
    const one = world.member({ topics: ["t", "later"] });
    await world.pass(0);
    one.news();
    world.counts.set("t", 5).set("later", 1);
    await world.pass(5_000);
    expect(one.news()).toEqual(["assigned 0,4"]);
  });

  it("leaves when its client has gone, and keeps its place when it is static", async () => {
    const world = new MemberWorld();
    const one = world.member();
    await world.pass(0);
    await one.member.close();
    await world.pass(0);
    expect(await stateOf(world)).toBe("Empty");
    const two = world.member({ instanceId: "i" });
    await world.pass(0);
    await two.member.close();
    expect(await stateOf(world)).toBe("Stable");
    const again = world.member({ instanceId: "i" });
    await world.pass(0);
    expect(again.news()).toEqual(["assigned 0,1,2,3"]);
    expect(await stateOf(world)).toBe("Stable");
  });

  it("takes the commits that were sent before its client said goodbye", async () => {
    const world = new MemberWorld();
    const one = world.member();
    await world.pass(0);
    one.news();
    one.commit(1, 0, 5);
    const ended = one.member.end();
    await world.pass(0);
    await ended;
    expect(one.news()).toEqual(["commit 1 done", "ended"]);
    expect(await committed(world)).toEqual({ 0: 5 });
    expect(await stateOf(world)).toBe("Empty");
  });

  it("is refused with the group's own words", async () => {
    const world = new MemberWorld();
    world.member(EAGER);
    await world.pass(0);
    const two = world.member({ assignors: ["roundrobin"] });
    await world.pass(0);
    expect(two.error).toMatchObject({ code: "INCONSISTENT_GROUP_PROTOCOL" });
    expect(() => world.member({ assignors: ["best"] })).toThrow("cooperative-sticky, range");
  });

  it("sends no more than its client has room for", async () => {
    const world = new MemberWorld();
    const one = world.member({ windowBytes: 100 });
    await world.pass(0);
    const [first, second] = world.readings;
    expect(first?.send({ batches: new Uint8Array(60) })).toBe(true);
    expect(second?.send({ batches: [new Uint8Array(30), new Uint8Array(30)] })).toBe(false);
    one.member.drained();
    expect(second?.drains).toBe(0);
    one.member.taken(60);
    expect(second?.drains).toBe(1);
  });

  it("begins anew where the committed records are gone, and says nothing of a topic that goes", async () => {
    const world = new MemberWorld();
    const one = world.member();
    await world.pass(0);
    one.news();
    const error = { code: "OFFSET_OUT_OF_RANGE", message: "", retriable: false };
    world.readings[1]?.send({ error });
    expect(world.readings.at(-1)).toMatchObject({ partition: 1, start: { earliest: true } });
    world.readings[2]?.send({ error: { ...error, code: "UNKNOWN_TOPIC_OR_PARTITION" } });
    expect(one.news()).toEqual([]);
    world.readings[3]?.send({ error: { ...error, code: "CORRUPT_MESSAGE" } });
    expect(one.news()).toEqual(["records of 3"]);
  });
});
