import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { JsonObject } from "./json.js";
import {
  decodeKafkaListeners,
  isLoopback,
  isWildcard,
  type KafkaListener,
  kafkaEndpoint,
} from "./kafka-listeners.js";

const SELF = 1;

function node(id: number, peerAddress: string, listener: Partial<KafkaListener> = {}) {
  return {
    id: nodeId(id),
    peerAddress,
    kafkaListeners: [
      { name: "PLAINTEXT", host: "0.0.0.0", port: 9091 + id, isAdvertised: false, ...listener },
    ],
  };
}

function arrival(host: string, peerAddress: string, listener = "PLAINTEXT") {
  return {
    listener,
    local: { host, port: 9092 },
    self: { id: nodeId(SELF), peerAddress },
  };
}

describe(kafkaEndpoint, () => {
  it.each([
    {
      what: "what is advertised, also of the broker that answers",
      of: node(SELF, "a:51051", { host: "kafka.example", port: 19092, isAdvertised: true }),
      to: arrival("10.0.0.1", "a:51051"),
      host: "kafka.example",
      port: 19092,
    },
    {
      what: "of the broker that answers, the address the client is connected to",
      of: node(SELF, "a:51051"),
      to: arrival("10.0.0.1", "a:51051"),
      host: "10.0.0.1",
      port: 9092,
    },
    {
      what: "the one address that another broker is bound to",
      of: node(2, "b:51051", { host: "10.0.0.2" }),
      to: arrival("10.0.0.1", "a:51051"),
      host: "10.0.0.2",
      port: 9093,
    },
    {
      what: "of several brokers on a machine without a network, the loopback address",
      of: node(2, "127.0.0.1:51052", { host: "127.0.0.1" }),
      to: arrival("127.0.0.1", "127.0.0.1:51051"),
      host: "127.0.0.1",
      port: 9093,
    },
    {
      what: "of a broker on this machine, bound to all, the address the client used",
      of: node(2, "127.0.0.1:51052"),
      to: arrival("192.168.1.7", "127.0.0.1:51051"),
      host: "192.168.1.7",
      port: 9093,
    },
    {
      what: "the same where the peers know both by one name",
      of: node(2, "box.example:51052"),
      to: arrival("127.0.0.1", "box.example:51051"),
      host: "127.0.0.1",
      port: 9093,
    },
    {
      what: "the same where the peers were told of every interface",
      of: node(2, "0.0.0.0:51052"),
      to: arrival("::1", "0.0.0.0:51051"),
      host: "::1",
      port: 9093,
    },
    {
      what: "of another machine, bound to all, the host its peers know",
      of: node(2, "b.example:51051"),
      to: arrival("10.0.0.1", "a.example:51051"),
      host: "b.example",
      port: 9093,
    },
    {
      what: "an IPv6 host without its brackets",
      of: node(2, "[fd00::2]:51051", { host: "::" }),
      to: arrival("fd00::1", "[fd00::1]:51051"),
      host: "fd00::2",
      port: 9093,
    },
  ])("tells $what", ({ of, to, host, port }) => {
    expect(kafkaEndpoint(of, to)).toEqual({ host, port });
  });

  it("knows no address of a broker without a listener of the client's name", () => {
    expect(kafkaEndpoint(node(2, "b:1"), arrival("10.0.0.1", "a:1", "INTERNAL"))).toBeUndefined();
  });

  it("keeps clients on the listeners of the name they came in by", () => {
    const of = {
      ...node(2, "b:1"),
      kafkaListeners: [
        { name: "INTERNAL", host: "broker-2", port: 19092, isAdvertised: true },
        { name: "HOST", host: "127.0.0.1", port: 9093, isAdvertised: true },
      ],
    };
    const told = (listener: string) => kafkaEndpoint(of, arrival("10.0.0.1", "a:1", listener));
    expect(told("INTERNAL")).toEqual({ host: "broker-2", port: 19092 });
    expect(told("HOST")).toEqual({ host: "127.0.0.1", port: 9093 });
  });
});

describe(decodeKafkaListeners, () => {
  const listener = { name: "PLAINTEXT", host: "h", port: 9092, isAdvertised: false };

  it("takes registrations from before there were any for ones without", () => {
    expect(decodeKafkaListeners(new JsonObject({}, "node"))).toEqual([]);
  });

  it("reads what was written", () => {
    const json = new JsonObject({ kafkaListeners: [listener] }, "node");
    expect(decodeKafkaListeners(json)).toEqual([listener]);
  });

  it.each([{ port: 65_536 }, { port: -1 }, { host: 1 }, { isAdvertised: "no" }, { name: null }])(
    "refuses %j",
    (wrong) => {
      const json = new JsonObject({ kafkaListeners: [{ ...listener, ...wrong }] }, "node");
      expect(() => decodeKafkaListeners(json)).toThrow(/kafkaListeners/);
    },
  );
});

describe("hosts", () => {
  it("tells loopback addresses and wildcards from others", () => {
    expect(["127.0.0.1", "127.8.9.1", "::1", "localhost"].every(isLoopback)).toBe(true);
    expect(["10.0.0.1", "127.example", "::"].some(isLoopback)).toBe(false);
    expect(["0.0.0.0", "::", ""].every(isWildcard)).toBe(true);
    expect(["10.0.0.1", "localhost"].some(isWildcard)).toBe(false);
  });
});
