import type { BrokerEpoch, NodeId } from "@strandline/model";
import type { RpcStream } from "@strandline/platform";
import type { OutgoingLeaderMessage } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import { LeaderFeed } from "./leader-feed.js";
import type { Partition } from "./partition.js";
import { ReplicaFeeder, type ReplicaFeederOwner } from "./replica-feeder.js";

/** A feeder whose messages are kept, as short texts. */
function feeding() {
  const sent: string[] = [];
  const aborts: (Error | undefined)[] = [];
  const stream = {
    send: ({ append, watermarks }: OutgoingLeaderMessage) => {
      if (append !== undefined) sent.push(`append ${append.partition} at ${append.baseOffset}`);
      for (const { partition, endOffset } of watermarks?.watermarks ?? []) {
        sent.push(`watermark ${partition} at ${endOffset}`);
      }
      sent.push("sent");
      return true;
    },
    abort: (error?: Error) => aborts.push(error),
  } as unknown as RpcStream<OutgoingLeaderMessage>;
  return { sent, aborts, feeder: new ReplicaFeeder(stream, {} as ReplicaFeederOwner) };
}

function feed(partition: number): LeaderFeed {
  return {
    partition: { topicId: "topic", partition },
    leaderEpoch: 1,
    session: 1,
  } as unknown as LeaderFeed;
}

function piece(baseOffset: number, batches: readonly Uint8Array[] = []) {
  return { baseOffset, highWatermark: 0, logStartOffset: 0, batches };
}

describe(ReplicaFeeder, () => {
  it("sends the watermarks of one turn as one message, at its end", async () => {
    const { sent, feeder } = feeding();
    feeder.append(feed(3), piece(10));
    feeder.append(feed(4), piece(20));
    expect(sent).toEqual([]);
    await Promise.resolve();
    expect(sent).toEqual(["watermark 3 at 10", "watermark 4 at 20", "sent"]);
    feeder.append(feed(3), piece(11));
    await Promise.resolve();
    expect(sent.slice(3)).toEqual(["watermark 3 at 11", "sent"]);
  });

  it("lets no batch overtake a watermark: the follower would see a gap", async () => {
    const { sent, feeder } = feeding();
    feeder.append(feed(3), piece(10));
    feeder.append(feed(3), piece(10, [new Uint8Array(1)]));
    expect(sent).toEqual(["watermark 3 at 10", "sent", "append 3 at 10", "sent"]);
    await Promise.resolve();
    expect(sent).toHaveLength(4);
  });

  it("ends its stream when another one took a partition over: its follower must notice", () => {
    const { sent, aborts, feeder } = feeding();
    const log = { logEndOffset: 5, logStartOffset: 0, tail: () => [new Uint8Array(1)] };
    const taken = new LeaderFeed({
      partition: { topicId: "topic", partition: 3, log, highWatermark: 0 } as unknown as Partition,
      replica: 2 as NodeId,
      brokerEpoch: 1 as BrokerEpoch,
      leaderEpoch: 1,
      session: 1,
      fromOffset: 0,
      windowBytesMax: 100,
      sink: feeder,
    });
    taken.supersede();
    expect(aborts).toMatchObject([{ message: "the follower has another stream" }]);
    taken.pump();
    expect(sent).toEqual([]);
  });

  it("sends nothing when the stream ended meanwhile", async () => {
    const { sent, feeder } = feeding();
    feeder.append(feed(3), piece(10));
    feeder.onEnd();
    await Promise.resolve();
    expect(sent).toEqual([]);
  });
});
