import { encodeRequest } from "@strandline/kafka-protocol";
import { BrokerSettings, emptyImage } from "@strandline/metadata";
import { nodeId } from "@strandline/model";
import { BufferPool, nullLogger } from "@strandline/platform";
import { beforeEach, describe, expect, it } from "vitest";
import { KafkaFrontend } from "./kafka-frontend.js";
import { FakeConnection } from "./testing/fake-connection.js";

describe(KafkaFrontend, () => {
  let nowMs: number;
  let isReady: boolean;
  let due: (() => void)[];
  let frontend: KafkaFrontend;

  beforeEach(() => {
    nowMs = 0;
    isReady = true;
    due = [];
    frontend = open(new BrokerSettings());
  });

  function open(settings: BrokerSettings): KafkaFrontend {
    return new KafkaFrontend(
      {
        clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
        timers: {
          after: (_delayMs, task) => {
            due.push(task);
            return { cancel: () => undefined };
          },
        },
        logger: nullLogger,
        buffers: new BufferPool(),
      },
      {
        nodeId: nodeId(1),
        peerAddress: "127.0.0.1:1",
        settings,
        handlers: {},
        produce: undefined,
        image: emptyImage,
        isReady: () => isReady,
      },
    );
  }

  /** Time passes, and with it the next look at all connections. */
  function pass(delayMs: number): void {
    nowMs += delayMs;
    for (const task of due.splice(0)) task();
  }

  it("refuses clients until the cluster has admitted the broker, and none after", () => {
    isReady = false;
    expect(frontend.accept("PLAINTEXT", new FakeConnection())).toBeUndefined();
    isReady = true;
    expect(frontend.accept("PLAINTEXT", new FakeConnection())).toBeDefined();
    isReady = false;
    expect(frontend.accept("PLAINTEXT", new FakeConnection())).toBeDefined();
    expect(frontend.connectionCount).toBe(2);
  });

  it("closes connections that were silent for too long, and keeps the others", () => {
    const [silent, talking] = [new FakeConnection(), new FakeConnection()];
    frontend.accept("PLAINTEXT", silent);
    const receiver = frontend.accept("PLAINTEXT", talking);
    pass(300_000);
    const header = { correlationId: 1, clientId: "test" };
    const software = { clientSoftwareName: "", clientSoftwareVersion: "" };
    receiver?.onData(Buffer.concat(encodeRequest("ApiVersions", 0, header, software)));
    pass(300_000);
    expect([silent.isDestroyed, talking.isDestroyed]).toEqual([true, false]);
    expect(frontend.connectionCount).toBe(1);
  });

  it("keeps silent connections where the operator wants that", () => {
    frontend = open(new BrokerSettings(new Map([["connections.max.idle.ms", "-1"]])));
    const silent = new FakeConnection();
    frontend.accept("PLAINTEXT", silent);
    pass(86_400_000);
    expect(silent.isDestroyed).toBe(false);
  });

  it("closes every connection with itself, and takes no other", () => {
    const connection = new FakeConnection();
    frontend.accept("PLAINTEXT", connection);
    frontend.close();
    expect(connection.isDestroyed).toBe(true);
    expect(frontend.connectionCount).toBe(0);
    expect(frontend.accept("PLAINTEXT", new FakeConnection())).toBeUndefined();
  });
});
