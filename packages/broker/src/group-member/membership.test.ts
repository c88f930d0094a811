import type { GroupCommand } from "@strandline/coordination";
import { BrokerError, type ErrorCode } from "@strandline/model";
import type { GroupJoin } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import type { GroupService } from "../services/groups.js";
import { Membership, Outdated } from "./membership.js";
import { Closed, Pauses } from "./pauses.js";
import { HandTime } from "./testing/hand-time.js";

const SESSION_MS = 6_000;

/** A group that answers what it is told to. */
class World {
  readonly time = new HandTime();
  readonly pauses = new Pauses(this.time);
  /** What each call gets in turn; the last one again and again. A BrokerError is thrown. */
  answers: unknown[] = [];
  readonly asked: Partial<GroupCommand>[] = [];
  unheard = 0;
  readonly membership: Membership;

  constructor(options: { instanceId?: string } = {}) {
    const call = async (body: Partial<GroupCommand>): Promise<unknown> => {
      this.asked.push(body);
      const [answer] = this.answers.length > 1 ? this.answers.splice(0, 1) : this.answers;
      if (answer instanceof BrokerError) throw answer;
      return answer;
    };
    const groups = { join: call, sync: call, heartbeat: call, fetchOffsets: call, leave: call };
    const { time: clock, pauses } = this;
    const onUnheard = (): void => {
      this.unheard += 1;
    };
    const parts = { clock, pauses, onUnheard, groups: groups as unknown as GroupService };
    const join = {
      groupId: "g",
      instanceId: options.instanceId ?? "",
      clientId: "",
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 0,
    };
    this.membership = new Membership(parts, join as GroupJoin, "host");
  }

  async join(): Promise<void> {
    const needsId = { kind: "join", error: "MEMBER_ID_REQUIRED", memberId: "m-1", generation: -1 };
    this.answers = [needsId, { ...needsId, error: undefined, generation: 4 }];
    await this.membership.join(() => []);
  }
}

describe("a membership", () => {
  it("begins under the id that the group gives", async () => {
    const world = new World();
    const { membership } = world;
    expect([membership.memberId, membership.generation]).toEqual(["", -1]);
    await world.join();
    expect([membership.memberId, membership.generation]).toEqual(["m-1", 4]);
    expect(world.asked).toMatchObject([{ memberId: "" }, { memberId: "m-1" }]);
  });

  it("asks again, and says when it was not heard for a session", async () => {
    const world = new World();
    const away = new BrokerError("COORDINATOR_LOAD_IN_PROGRESS", "a moment");
    world.answers = [away];
    const beat = world.membership.heartbeat();
    await world.time.pass(SESSION_MS, () => undefined);
    expect([world.asked.length > 10, world.unheard]).toEqual([true, 0]);
    await world.time.pass(1_000, () => undefined);
    expect(world.unheard).toBeGreaterThan(0);
    world.answers = [{ kind: "heartbeat", error: undefined }];
    await world.time.pass(100, () => undefined);
    await beat;
  });

  it("tells being behind from being refused", async () => {
    const world = new World();
    await world.join();
    const heard = async (error: ErrorCode): Promise<unknown> => {
      world.answers = [{ kind: "heartbeat", error }];
      return await world.membership.heartbeat().then(undefined, (thrown: unknown) => thrown);
    };
    expect(await heard("REBALANCE_IN_PROGRESS")).toBeInstanceOf(Outdated);
    expect(await heard("FENCED_INSTANCE_ID")).toMatchObject({ code: "FENCED_INSTANCE_ID" });
    expect(await heard("FENCED_INSTANCE_ID")).toBeInstanceOf(BrokerError);
    world.membership.lapse("ILLEGAL_GENERATION");
    expect([world.membership.memberId, world.membership.generation]).toEqual(["m-1", -1]);
    world.membership.lapse("UNKNOWN_MEMBER_ID");
    expect(world.membership.memberId).toBe("");
  });

  it("knows where the group has come, and where it has committed nothing", async () => {
    const world = new World();
    const partitions = [
      { partition: 0, offset: 7 },
      { partition: 1, offset: -1 },
    ];
    world.answers = [{ kind: "fetch-offsets", topics: [{ topic: "t", partitions }] }];
    const places = [0, 1].map((partition) => ({ topic: "t", partition }));
    expect(await world.membership.starts([])).toEqual([]);
    expect(await world.membership.starts(places)).toEqual([
      { topic: "t", partition: 0, offset: 7 },
      { topic: "t", partition: 1 },
    ]);
    expect(world.asked).toEqual([{ groupId: "g", topics: [{ topic: "t", partitions: [0, 1] }] }]);
  });

  it("says that it leaves, unless its place is kept", async () => {
    const places = [new World(), new World({ instanceId: "i" })];
    for (const world of places) {
      await world.join();
      await world.membership.leave();
    }
    expect(places.map(({ asked }) => asked.length)).toEqual([3, 2]);
  });

  it("hears nothing more once it is closed", async () => {
    const world = new World();
    world.answers = [{ kind: "heartbeat", error: undefined }];
    const beat = world.membership.heartbeat();
    world.pauses.close();
    await expect(beat).rejects.toBeInstanceOf(Closed);
  });
});
