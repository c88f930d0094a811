import { BrokerSettings } from "@strandline/metadata";
import { describe, expect, it } from "vitest";
import { describedSettings } from "./described-settings.js";
import type { NodeConfig } from "./node-config.js";

const CONFIG: NodeConfig = {
  nodeId: 2,
  voters: [
    { id: 1, address: "a:1" },
    { id: 2, address: "b:1" },
  ],
  isBroker: true,
  dataDirectory: "/data",
  grpc: { host: "127.0.0.1", port: 50_051 },
  peer: { host: "127.0.0.1", port: 51_051 },
  kafka: [
    { name: "IN", host: "0.0.0.0", port: 9_092, advertised: undefined },
    { name: "OUT", host: "::", port: 9_093, advertised: { host: "example.org", port: 19_093 } },
  ],
  http: undefined,
  advertisedGrpc: undefined,
  advertisedPeer: undefined,
  clusterId: undefined,
  rack: "",
  version: "test",
  replaceDirectory: false,
  broker: { settings: new BrokerSettings(new Map([["group.max.size", "9"]])) },
};

describe(describedSettings, () => {
  it("says who the node is, where it listens, and what is written for it", () => {
    expect([...describedSettings(CONFIG).written]).toEqual([
      ["group.max.size", "9"],
      ["node.id", "2"],
      ["process.roles", "broker,controller"],
      ["controller.quorum.voters", "1@a:1,2@b:1"],
      ["log.dirs", "/data"],
      ["listeners", "IN://0.0.0.0:9092,OUT://[::]:9093"],
      ["advertised.listeners", "OUT://example.org:19093"],
    ]);
  });

  it("leaves out what the node has none of", () => {
    const bare = { ...CONFIG, nodeId: 3, kafka: [], rack: "r1", broker: {} };
    expect([...describedSettings(bare).written.keys()]).toEqual([
      "node.id",
      "process.roles",
      "controller.quorum.voters",
      "log.dirs",
      "broker.rack",
    ]);
    expect(describedSettings(bare).text("process.roles")).toBe("broker");
  });
});
