import { describe, expect, it } from "vitest";
import { kafkaListeners, parseListeners } from "./node-config.js";

describe(parseListeners, () => {
  it("reads names, hosts and ports; no host is every interface", () => {
    expect(parseListeners("INTERNAL://broker-1:19092, HOST://:9092,V6://[::1]:9093")).toEqual([
      { name: "INTERNAL", host: "broker-1", port: 19_092 },
      { name: "HOST", host: "0.0.0.0", port: 9_092 },
      { name: "V6", host: "::1", port: 9_093 },
    ]);
    expect(parseListeners("")).toEqual([]);
  });

  it.each(["9092", "HOST:9092", "://h:1", "A B://h:1", "HOST://h", "HOST://h:70000"])(
    'says that "%s" is no listener',
    (text) => {
      expect(() => parseListeners(text)).toThrow(`"${text}" is not a listener`);
    },
  );
});

describe(kafkaListeners, () => {
  const bound = parseListeners("A://:1,B://:2");

  it("gives each listener what is advertised under its name", () => {
    expect(kafkaListeners(bound, parseListeners("B://b.example:20"))).toEqual([
      { name: "A", host: "0.0.0.0", port: 1, advertised: undefined },
      { name: "B", host: "0.0.0.0", port: 2, advertised: { host: "b.example", port: 20 } },
    ]);
  });

  it("refuses to advertise what is not listened to", () => {
    expect(() => kafkaListeners(bound, parseListeners("C://c:3"))).toThrow(
      "there is no listener C to advertise; there is A, B",
    );
  });
});
