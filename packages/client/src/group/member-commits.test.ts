import { BrokerError } from "@strandline/model";
import { nullLogger } from "@strandline/platform";
import { errorToProto, type GroupOffset } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import type { ClientPorts } from "../ports.js";
import { ManualTime } from "../testing/manual-time.js";
import { resolveGroupConsumerOptions } from "./group-consumer-options.js";
import { MemberCommits } from "./member-commits.js";

const PLACE = { topic: "t", partition: 0 };

class World {
  readonly time = new ManualTime();
  readonly sent: { readonly id: number; readonly offsets: readonly GroupOffset[] }[] = [];
  readonly failures: Error[] = [];
  hasBroker = true;
  readonly commits: MemberCommits;

  constructor(autoCommitMs: number) {
    const ports = { clock: this.time, timers: this.time, logger: nullLogger };
    const options = resolveGroupConsumerOptions({ groupId: "g", topics: ["t"], autoCommitMs });
    this.commits = new MemberCommits(ports as unknown as ClientPorts, options, {
      send: (id, offsets) => {
        if (this.hasBroker) this.sent.push({ id, offsets });
        return this.hasBroker;
      },
      onFailed: (error) => this.failures.push(error),
    });
  }

  answer(error?: BrokerError): void {
    const correlationId = this.sent.at(-1)?.id ?? 0;
    const refusal = { ...PLACE, error: error === undefined ? undefined : errorToProto(error) };
    this.commits.answered({ correlationId, refusals: [refusal] });
  }
}

describe("the commits of a member", () => {
  it("tell the group what is done, and nothing twice", async () => {
    const world = new World(0);
    const { commits, sent } = world;
    await commits.commit();
    commits.done.done(PLACE, 4);
    const first = commits.commit();
    world.answer();
    await first;
    await commits.commit();
    expect(sent).toEqual([{ id: 1, offsets: [{ ...PLACE, offset: 4, metadata: "" }] }]);
  });

  it("throw what the group refuses, and tell it again the next time", async () => {
    const world = new World(0);
    world.commits.done.done(PLACE, 4);
    const refused = world.commits.commit();
    world.answer(new BrokerError("ILLEGAL_GENERATION", "too late"));
    await expect(refused).rejects.toMatchObject({ code: "ILLEGAL_GENERATION" });
    const tried = world.commits.tryCommit([PLACE, { ...PLACE, partition: 1 }]);
    world.answer(new BrokerError("ILLEGAL_GENERATION", "too late"));
    await tried;
    expect(world.sent).toHaveLength(2);
  });

  it("fail when there is no broker, or none any more", async () => {
    const world = new World(0);
    world.commits.done.done(PLACE, 4);
    const unanswered = world.commits.commit();
    world.commits.lost(new Error("gone"));
    await expect(unanswered).rejects.toMatchObject({ code: "UNAVAILABLE" });
    world.hasBroker = false;
    await expect(world.commits.commit()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("come by themselves, one after the other, until they are stopped", async () => {
    const world = new World(1_000);
    const { commits, sent, time } = world;
    expect([commits.isAutomatic, new World(0).commits.isAutomatic]).toEqual([true, false]);
    commits.start();
    commits.done.done(PLACE, 4);
    await time.advance(3_000);
    // The next one waits for the answer of the last.
    expect(sent).toHaveLength(1);
    world.answer();
    commits.done.done(PLACE, 5);
    await time.advance(1_000);
    expect(sent).toHaveLength(2);
    world.answer();
    await time.settle();
    commits.stop();
    commits.done.done(PLACE, 6);
    await time.advance(3_000);
    expect(sent).toHaveLength(2);
    expect(world.failures).toEqual([]);
  });
});
