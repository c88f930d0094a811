import { describe, expect, it } from "vitest";
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "./exchange.js";
import { ProtocolError } from "./protocol-error.js";
import { joined, toHex, withoutLength } from "./testdata/frames.js";

/** The body of a Heartbeat of version 4 that ends with these tagged fields. */
function heartbeat(tags: readonly number[]): Uint8Array {
  const header = { correlationId: 1, clientId: null };
  const body = { groupId: "g", generationId: 1, memberId: "m" };
  const frame = withoutLength(encodeRequest("Heartbeat", 4, header, body));
  return joined([frame.subarray(0, -1), Uint8Array.from(tags)]);
}

describe("tagged fields", () => {
  it("are passed over when they are unknown", () => {
    const request = decodeRequest(heartbeat([2, 5, 3, 1, 2, 3, 200, 1, 0]));
    expect(request).toMatchObject({ name: "Heartbeat", body: { memberId: "m" } });
  });

  it("are refused when there are too many, or when they reach beyond the message", () => {
    for (const tags of [[65], [0xff, 0xff, 0xff, 0xff, 0x0f], [1, 0, 9], [1], [1, 0]]) {
      expect(() => decodeRequest(heartbeat(tags))).toThrow(ProtocolError);
    }
    const full = [64, ...Array.from({ length: 64 }, (_, tag) => [tag, 0]).flat()];
    expect(decodeRequest(heartbeat(full)).name).toBe("Heartbeat");
  });

  it("of the header are passed over too", () => {
    const frame = heartbeat([0]);
    const headerBytes = 10;
    const tagged = joined([
      frame.subarray(0, headerBytes),
      Uint8Array.of(1, 7, 2, 9, 9),
      frame.subarray(headerBytes + 1),
    ]);
    expect(decodeRequest(tagged)).toMatchObject({ body: { groupId: "g", generationId: 1 } });
  });

  it("are left out when they are the default, and in ascending order otherwise", () => {
    const answer = {
      errorCode: 0,
      apiKeys: [],
      finalizedFeaturesEpoch: 5,
      supportedFeatures: [{ name: "x", minVersion: 0, maxVersion: 1 }],
      zkMigrationReady: false,
      finalizedFeatures: [],
    };
    const frame = withoutLength(encodeResponse("ApiVersions", 3, 1, answer));
    const tags = "02" + "0008" + "02" + "0278" + "0000" + "0001" + "00" + "01080000000000000005";
    expect(toHex(frame)).toBe(`00000001000001${"00000000"}${tags}`);
    expect(decodeResponse("ApiVersions", 3, frame).body).toEqual({ ...answer, throttleTimeMs: 0 });
  });

  it("are refused when a known one has another size than it says", () => {
    const frame = withoutLength(
      encodeResponse("ApiVersions", 3, 1, { errorCode: 0, apiKeys: [], zkMigrationReady: true }),
    );
    const long = joined([frame.subarray(0, -2), Uint8Array.of(2, 1, 1)]);
    expect(() => decodeResponse("ApiVersions", 3, long)).toThrow(ProtocolError);
    const short = joined([frame.subarray(0, -2), Uint8Array.of(0)]);
    expect(() => decodeResponse("ApiVersions", 3, short)).toThrow(ProtocolError);
  });
});
