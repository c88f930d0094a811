import { BrokerError } from "@strandline/model";
import { nullLogger, type RpcStream } from "@strandline/platform";
import type { RaftMessage } from "@strandline/raft";
import type { RaftMessage as Envelope } from "@strandline/rpc";
import { describe, expect, it } from "vitest";
import { encodeRaftMessage } from "./raft-messages.js";
import { RaftTransport } from "./raft-transport.js";

const heartbeat = (to: number): RaftMessage => ({
  kind: "heartbeat-answer",
  from: 2,
  to,
  term: 1,
  readRound: 0,
});

/** What node 1 makes of a message that another node sent to `to`. */
function received(to: number, clusterId: string) {
  const heard: RaftMessage[] = [];
  const aborts: (Error | undefined)[] = [];
  const stream = { abort: (error?: Error) => aborts.push(error) } as unknown as RpcStream<Envelope>;
  const transport = new RaftTransport(
    { logger: nullLogger } as never,
    { self: 1, peers: [] },
    {
      clusterId: () => "ours",
      onMessage: (message) => heard.push(message),
      onLost: () => undefined,
    },
  );
  transport.receiver(stream).onMessage(encodeRaftMessage(heartbeat(to), clusterId));
  return { heard, aborts };
}

describe(RaftTransport, () => {
  it("takes what is meant for this node", () => {
    const { heard, aborts } = received(1, "ours");
    expect(heard).toMatchObject([{ kind: "heartbeat-answer", from: 2, term: 1 }]);
    expect(aborts).toEqual([]);
  });

  it("breaks a stream that was meant for another node, or another cluster", () => {
    const misled = received(3, "ours");
    expect(misled.heard).toEqual([]);
    expect(misled.aborts).toMatchObject([{ message: "this is node 1, not node 3" }]);
    const foreign = received(1, "theirs");
    expect(foreign.heard).toEqual([]);
    expect(foreign.aborts[0]).toBeInstanceOf(BrokerError);
  });
});
