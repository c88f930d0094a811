import { nodeId } from "@strandline/model";
import { nullLogger, type RpcReceiver, type Transport } from "@strandline/platform";
import type { FollowerMessage, LeaderMessage } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import type { Partition } from "./partition.js";
import { ReplicaFetcher } from "./replica-fetcher.js";

/** A fetcher with an open stream, what it sent, and the leader's end of it. */
function fetching() {
  const sent: FollowerMessage[] = [];
  let receiver: RpcReceiver<LeaderMessage> | undefined;
  const transport = {
    open: (_address: string, _method: unknown, opened: RpcReceiver<LeaderMessage>) => {
      receiver = opened;
      return { send: (message: FollowerMessage) => sent.push(message) > 0, abort: () => undefined };
    },
  } as unknown as Transport;
  const never = { after: () => ({ cancel: () => undefined }) };
  const fetcher = new ReplicaFetcher(
    { transport, timers: never, random: { below: () => 0 } as never, logger: nullLogger },
    {
      nodeId: nodeId(2),
      leader: nodeId(1),
      address: () => "leader",
      brokerEpoch: () => 7 as never,
      clusterId: () => "cluster",
    },
  );
  return { fetcher, sent, leader: () => receiver as RpcReceiver<LeaderMessage> };
}

/** A partition that follows broker 1 and notes what it is offered. */
function following(partition: number) {
  const offered: { baseOffset: number; bytes: number }[] = [];
  const follower = {
    leader: 1,
    connected: () => undefined,
    disconnected: () => undefined,
    append: ({ baseOffset, batches }: { baseOffset: number; batches: Uint8Array }) =>
      offered.push({ baseOffset, bytes: batches.length }),
  };
  const key = `topic-${partition}`;
  const replica = { topicId: "topic", partition, key, follower } as unknown as Partition;
  return { replica, offered };
}

const AT = { leaderEpoch: 1, session: 1 };

describe(ReplicaFetcher, () => {
  it("sends the acknowledgements of one turn as one message", async () => {
    const { fetcher, sent } = fetching();
    const partitions = [following(0).replica, following(1).replica] as const;
    for (const partition of partitions) fetcher.attach(partition);
    sent.length = 0;
    fetcher.acknowledge(partitions[0], { ...AT, durableEndOffset: 10 });
    fetcher.acknowledge(partitions[1], { ...AT, durableEndOffset: 20 });
    await Promise.resolve();
    expect(sent).toHaveLength(1);
    expect(sent[0]?.acknowledges?.acknowledges).toEqual([
      { topicId: "topic", partition: 0, ...AT, durableEndOffset: 10 },
      { topicId: "topic", partition: 1, ...AT, durableEndOffset: 20 },
    ]);
    fetcher.acknowledge(partitions[1], { ...AT, durableEndOffset: 30 });
    await Promise.resolve();
    expect(sent[1]?.acknowledge?.durableEndOffset).toBe(30);
  });

  it("carries no acknowledgement over to another stream", async () => {
    const { fetcher, sent, leader } = fetching();
    const { replica } = following(0);
    fetcher.attach(replica);
    sent.length = 0;
    fetcher.acknowledge(replica, { ...AT, durableEndOffset: 10 });
    leader().onEnd(new Error("lost"));
    await Promise.resolve();
    expect(sent).toEqual([]);
  });

  it("hands each watermark of a message to its partition", () => {
    const { fetcher, leader } = fetching();
    const [first, second] = [following(0), following(1)];
    fetcher.attach(first.replica);
    fetcher.attach(second.replica);
    const at = { ...AT, topicId: "topic", highWatermark: 5, logStartOffset: 0 };
    const watermarks = [
      { ...at, partition: 1, endOffset: 20 },
      { ...at, partition: 0, endOffset: 10 },
    ];
    leader().onMessage({ watermarks: { watermarks } });
    expect(first.offered).toEqual([{ baseOffset: 10, bytes: 0 }]);
    expect(second.offered).toEqual([{ baseOffset: 20, bytes: 0 }]);
  });
});
