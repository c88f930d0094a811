import { BrokerError } from "@strandline/model";
import type { RpcMethod, RpcReceiver, RpcStream, Transport } from "@strandline/platform";
import { crc32c, nodeCompressors, nullLogger } from "@strandline/platform";
import { errorToProto, type GroupConsumeRequest, type GroupConsumeResponse } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import type { ConsumerRecord } from "../consumer/consumer-record.js";
import { StrandlineClient } from "../strandline-client.js";
import { madeBatch } from "../testing/batches.js";
import { ManualTime } from "../testing/manual-time.js";
import { SeededRandom } from "../testing/seeded-random.js";
import type { GroupConsumer } from "./group-consumer.js";
import type { GroupConsumerOptions } from "./group-consumer-options.js";

/** One stream of a member, as its broker sees it. */
interface Line {
  readonly address: string;
  readonly requests: GroupConsumeRequest[];
  readonly receiver: RpcReceiver<GroupConsumeResponse>;
  isOpen: boolean;
  hasEnded: boolean;
}

class World {
  readonly time = new ManualTime();
  readonly lines: Line[] = [];
  readonly client: StrandlineClient;

  constructor() {
    const open = (
      address: string,
      _method: RpcMethod<never, never>,
      receiver: RpcReceiver<never>,
    ): RpcStream<never> => this.#open(address, receiver);
    const transport = { open, close: async () => {} } as unknown as Transport;
    const ports = {
      transport,
      clock: this.time,
      timers: this.time,
      random: new SeededRandom(1),
      logger: nullLogger,
      crc32c,
      compressors: nodeCompressors,
    };
    this.client = new StrandlineClient(ports, { bootstrap: ["one:1", "two:2"] });
  }

  /** The stream that was opened last. */
  get line(): Line {
    const line = this.lines.at(-1);
    if (line === undefined) throw new Error("no stream was opened");
    return line;
  }

  member(options: Partial<GroupConsumerOptions> = {}): GroupConsumer {
    return this.client.groupConsumer({ groupId: "g", topics: ["t"], ...options });
  }

  assign(...partitions: readonly number[]): void {
    const starts = partitions.map((partition) => ({ topic: "t", partition, offset: 0 }));
    this.line.receiver.onMessage({
      assigned: { memberId: "m", generation: 1, partitions: starts },
    });
  }

  /** A batch of single letters, at this offset. */
  records(partition: number, baseOffset: number, values: string): void {
    const batches = madeBatch({ baseOffset, values: values.split("") });
    const nextOffset = baseOffset + values.length;
    const ends = { highWatermark: nextOffset, logStartOffset: 0, nextOffset };
    this.line.receiver.onMessage({
      records: { topic: "t", partition, ...ends, records: [], batches },
    });
  }

  revoke(revocationId: number, partition: number, isLost = false): void {
    const partitions = [{ topic: "t", partition }];
    this.line.receiver.onMessage({ revoked: { revocationId, partitions, isLost } });
  }

  /** The commits since this was asked last; each is answered. */
  async takeCommits(): Promise<readonly string[]> {
    await this.time.settle();
    const taken: string[] = [];
    for (const { commit } of this.line.requests.splice(0)) {
      if (commit === undefined) continue;
      const { correlationId, offsets } = commit;
      taken.push(offsets.map(({ partition, offset }) => `${partition}:${offset}`).join(" "));
      this.line.receiver.onMessage({ committed: { correlationId, refusals: [] } });
    }
    await this.time.settle();
    return taken;
  }

  #open(address: string, receiver: RpcReceiver<never>): RpcStream<never> {
    const line: Line = {
      address,
      requests: [],
      receiver: receiver as RpcReceiver<GroupConsumeResponse>,
      isOpen: true,
      hasEnded: false,
    };
    this.lines.push(line);
    return {
      send: (request: GroupConsumeRequest) => line.requests.push(request) > 0,
      end: () => {
        line.hasEnded = true;
      },
      abort: () => {
        line.isOpen = false;
      },
      pause: () => {},
      resume: () => {},
    } as RpcStream<never>;
  }
}

function letterOf(result: IteratorResult<ConsumerRecord, undefined>): string {
  return result.done === true ? "end" : Buffer.from(result.value.value ?? []).toString();
}

describe("a member of a group", () => {
  it("says who it is, and takes what it is assigned", async () => {
    const world = new World();
    const told: string[] = [];
    const member = world.member({
      start: "earliest",
      instanceId: "i",
      onAssigned: (partitions) => told.push(`${partitions.map(({ partition }) => partition)}`),
    });
    expect(world.line.requests[0]?.join).toMatchObject({
      groupId: "g",
      topics: ["t"],
      instanceId: "i",
      start: { earliest: true },
      asBatches: true,
    });
    world.assign(0, 3);
    expect(member.assignment()).toEqual([
      { topic: "t", partition: 0 },
      { topic: "t", partition: 3 },
    ]);
    expect(member.memberId).toBe("m");
    expect(told).toEqual(["0,3"]);
  });

  it("counts a record as done when the next one is asked for", async () => {
    const world = new World();
    const records = world.member().records();
    world.assign(0);
    world.records(0, 0, "abc");
    expect(letterOf(await records.next())).toBe("a");
    await world.time.advance(5_000);
    expect(await world.takeCommits()).toEqual([]);
    expect(letterOf(await records.next())).toBe("b");
    await world.time.advance(5_000);
    expect(await world.takeCommits()).toEqual(["0:1"]);
    await world.time.advance(5_000);
    expect(await world.takeCommits()).toEqual([]);
  });

  it("commits everything that was handed out when it is told to", async () => {
    const world = new World();
    const member = world.member({ autoCommitMs: 0 });
    const records = member.records();
    world.assign(0);
    world.records(0, 0, "ab");
    await records.next();
    const committing = member.commit();
    expect(await world.takeCommits()).toEqual(["0:1"]);
    await committing;
    await records.next();
    const last = member.commit();
    expect(await world.takeCommits()).toEqual(["0:2"]);
    await last;
  });

  it("is done with what it handed out, and commits, before it lets a partition go", async () => {
    const world = new World();
    const member = world.member();
    const records = member.records();
    world.assign(0, 1);
    world.records(0, 0, "abc");
    expect(letterOf(await records.next())).toBe("a");
    world.revoke(7, 0);
    expect(await world.takeCommits()).toEqual([]);
    const next = records.next();
    expect(await world.takeCommits()).toEqual(["0:1"]);
    expect(world.line.requests).toEqual([{ release: { revocationId: 7 } }]);
    expect(member.assignment()).toEqual([{ topic: "t", partition: 1 }]);
    // Nothing of the rest of the batch, nor of what comes late.
    world.records(0, 3, "d");
    world.records(1, 0, "x");
    expect(letterOf(await next)).toBe("x");
  });

  it("forgets what it has lost, without a commit", async () => {
    const world = new World();
    const revoked: unknown[] = [];
    const member = world.member({
      onRevoked: (partitions, isLost) => void revoked.push([partitions[0]?.partition, isLost]),
    });
    const records = member.records();
    world.assign(0);
    world.records(0, 0, "ab");
    await records.next();
    await records.next();
    world.revoke(1, 0, true);
    expect(await world.takeCommits()).toEqual([]);
    await world.time.advance(6_000);
    expect(await world.takeCommits()).toEqual([]);
    expect(revoked).toEqual([[0, true]]);
  });

  it("says that it has room when batches are taken, or were not wanted", async () => {
    const world = new World();
    const records = world.member().records();
    world.assign(0);
    world.records(0, 0, "a");
    world.records(5, 0, "z");
    await records.next();
    const bytes = madeBatch({ baseOffset: 0, values: ["a"] }).length;
    const taken = world.line.requests.flatMap((request) => request.taken ?? []);
    expect(taken).toEqual([{ bytes }, { bytes }]);
  });

  it("joins again at another broker when its stream breaks, and begins anew", async () => {
    const world = new World();
    const member = world.member();
    const records = member.records();
    world.assign(0);
    world.records(0, 0, "ab");
    await records.next();
    const committing = member.commit();
    world.line.receiver.onEnd(new BrokerError("NETWORK_EXCEPTION", "broken"));
    await expect(committing).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(member.assignment()).toEqual([]);
    await world.time.advance(1_000);
    expect(world.lines.map(({ address }) => address)).toEqual(["one:1", "two:2"]);
    world.assign(0);
    world.records(0, 0, "ab");
    expect(letterOf(await records.next())).toBe("a");
  });

  it("ends with the group's refusal", async () => {
    const world = new World();
    const records = world.member().records();
    const next = records.next();
    world.line.receiver.onEnd(new BrokerError("FENCED_INSTANCE_ID", "somebody else is it"));
    await expect(next).rejects.toMatchObject({ code: "FENCED_INSTANCE_ID" });
    await world.time.advance(60_000);
    expect(world.lines).toHaveLength(1);
  });

  it("tells of a partition that is not its own any more", async () => {
    const world = new World();
    const member = world.member({ autoCommitMs: 0 });
    world.assign(0);
    const committing = member.commit([{ topic: "t", partition: 0, offset: 3 }]);
    const correlationId = world.line.requests.at(-1)?.commit?.correlationId ?? -1;
    const error = errorToProto(new BrokerError("ILLEGAL_GENERATION", "not any more"));
    const refusals = [{ topic: "t", partition: 0, error }];
    world.line.receiver.onMessage({ committed: { correlationId, refusals } });
    await expect(committing).rejects.toMatchObject({ code: "ILLEGAL_GENERATION" });
  });

  it("commits and says goodbye when it is closed", async () => {
    const world = new World();
    const member = world.member();
    const records = member.records();
    world.assign(0);
    world.records(0, 0, "ab");
    await records.next();
    const second = records.next();
    await second;
    const closing = member.close();
    expect(await world.takeCommits()).toEqual(["0:1"]);
    expect(world.line.hasEnded).toBe(true);
    world.line.receiver.onEnd(undefined);
    await closing;
    expect(letterOf(await records.next())).toBe("end");
    expect(world.time.pendingCount).toBe(0);
  });

  it("does not wait for ever for a broker that does not answer its goodbye", async () => {
    const world = new World();
    const member = world.member();
    const closing = member.close();
    await world.time.until(closing, 20_000);
    expect(world.line.isOpen).toBe(false);
  });

  it("refuses options that make no sense, all at once", () => {
    const world = new World();
    expect(() => world.member({ groupId: "", topics: [], sessionTimeoutMs: 0 })).toThrow(
      /groupId.*topics.*sessionTimeoutMs/,
    );
  });
});
