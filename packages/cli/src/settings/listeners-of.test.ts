import { describe, expect, it } from "vitest";
import { BROKER_SETTINGS } from "./kafka-settings.js";
import { listenersOf } from "./listeners-of.js";
import { resolveSettings } from "./resolve-settings.js";

const VOTERS = [
  { id: 1, address: "kafka-1:9093" },
  { id: 2, address: "kafka-2:9093" },
];

/** What a node does with these settings. */
function listeners(given: Record<string, string>, id = 1) {
  const { values } = resolveSettings(BROKER_SETTINGS, {
    flags: new Map(),
    sets: Object.entries(given).map(([key, value]) => `${key}=${value}`),
    environment: {},
    file: undefined,
  });
  return listenersOf(values, { id, voters: VOTERS });
}

describe(listenersOf, () => {
  it("listens on this machine, and leaves what is told to how a client came in", () => {
    expect(listeners({})).toEqual({
      grpc: { host: "127.0.0.1", port: 50_051 },
      peer: { host: "127.0.0.1", port: 51_051 },
      kafka: [{ name: "PLAINTEXT", host: "127.0.0.1", port: 9_092, advertised: undefined }],
      http: { host: "127.0.0.1", port: 8_080 },
      advertisedGrpc: undefined,
      advertisedPeer: undefined,
    });
    expect(listeners({ "kafka.port": "off", "http.port": "off" })).toMatchObject({
      kafka: [],
      http: undefined,
    });
  });

  it("understands the listeners of a compose file written for Kafka", () => {
    const given = {
      listeners: "PLAINTEXT://:19092,CONTROLLER://:9093,PLAINTEXT_HOST://:9092",
      "advertised.listeners": "PLAINTEXT://kafka-1:19092,PLAINTEXT_HOST://localhost:29092",
      "controller.listener.names": "CONTROLLER",
    };
    expect(listeners(given)).toMatchObject({
      peer: { host: "0.0.0.0", port: 9_093 },
      advertisedPeer: "kafka-1:9093",
      kafka: [
        {
          name: "PLAINTEXT",
          host: "0.0.0.0",
          port: 19_092,
          advertised: { host: "kafka-1", port: 19_092 },
        },
        {
          name: "PLAINTEXT_HOST",
          host: "0.0.0.0",
          port: 9_092,
          advertised: { host: "localhost", port: 29_092 },
        },
      ],
    });
    expect(listeners({ ...given, "peer.port": "7000" }).peer.port).toBe(7_000);
  });

  it("binds what is only advertised, at the same ports", () => {
    const both = listeners({ "advertised.listeners": "IN://kafka-1:19092,OUT://localhost:9092" });
    expect(both.kafka.map(({ name, host, port }) => [name, host, port])).toEqual([
      ["IN", "0.0.0.0", 19_092],
      ["OUT", "0.0.0.0", 9_092],
    ]);
    // The port's own listener keeps its port: the one advertised may be another machine's.
    const [own] = listeners({ "advertised.listeners": "PLAINTEXT://example.org:29092" }).kafka;
    expect(own).toMatchObject({ host: "127.0.0.1", port: 9_092, advertised: { port: 29_092 } });
  });

  it("tells the host of the list of voters where it is bound to every address", () => {
    expect(listeners({ host: "0.0.0.0" })).toMatchObject({
      advertisedPeer: "kafka-1:9093",
      advertisedGrpc: "kafka-1:50051",
    });
    expect(listeners({ host: "0.0.0.0", "advertised.grpc": "me:1" }).advertisedGrpc).toBe("me:1");
    // A node without a vote is in no list: it must be told what it is called.
    expect(listeners({ host: "0.0.0.0" }, 3)).toMatchObject({ advertisedPeer: undefined });
  });

  it("refuses lists that cannot be read or do not fit, with their place", () => {
    expect(() => listeners({ listeners: "PLAINTEXT:9092" })).toThrow(
      '--set listeners: "PLAINTEXT:9092" is not a listener; write <name>://<host>:<port>',
    );
    expect(() => listeners({ listeners: "IN://:1", "advertised.listeners": "OUT://a:1" })).toThrow(
      "--set advertised.listeners: there is no listener OUT to advertise; there is IN",
    );
  });
});
