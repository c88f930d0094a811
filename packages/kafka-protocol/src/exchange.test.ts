import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADVERTISED_VERSIONS, type ApiName } from "./apis/served-apis.js";
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  encodeVersionsFallback,
} from "./exchange.js";
import { arbitraryMessage } from "./testdata/arbitrary-message.js";
import { fromHex, joined, toHex, withoutLength } from "./testdata/frames.js";
import { servedVersions } from "./testdata/versions.js";

const BATCH_A =
  "0000000000000000000000410000000002e642c076000000000000000001a1fb892919000001a1fb892919" +
  "ffffffffffffffffffffffffffff000000011e000000046b31047631020468310278";

/** The functions for any name; which fields go with it is what the tests generate. */
type Loose = (
  name: ApiName,
  version: number,
  header: unknown,
  body: unknown,
) => readonly Uint8Array[];

describe("frames that librdkafka sent", () => {
  it("reads its ApiVersions request, whose client id has a 16-bit length", () => {
    const request = decodeRequest(
      fromHex("001200030000000100026331000b6c696272646b61666b6106322e302e3200"),
    );
    expect(request).toEqual({
      apiKey: 18,
      name: "ApiVersions",
      version: 3,
      correlationId: 1,
      clientId: "c1",
      body: { clientSoftwareName: "librdkafka", clientSoftwareVersion: "2.0.2" },
    });
  });

  it("reads and writes its Metadata request", () => {
    const hex = "0003000400000002000263310000000100017401";
    const request = decodeRequest(fromHex(hex));
    expect(request).toMatchObject({
      name: "Metadata",
      body: { topics: [{ name: "t" }], allowAutoTopicCreation: true },
    });
    const again = encodeRequest(
      "Metadata",
      4,
      { correlationId: 2, clientId: "c1" },
      { topics: [{ name: "t" }], allowAutoTopicCreation: true },
    );
    expect(toHex(withoutLength(again))).toBe(hex);
  });

  it("reads its Produce request, the batch as a view of the frame", () => {
    const head = "000000070000000300026331ffffffff000075300000000100017400000001000000000000004d";
    const frame = fromHex(head + BATCH_A);
    const request = decodeRequest(frame);
    if (request.name !== "Produce") throw new Error("another request");
    expect(request.body).toMatchObject({ transactionalId: null, acks: -1, timeoutMs: 30_000 });
    const records = request.body.topicData[0]?.partitionData[0]?.records;
    expect(records?.buffer).toBe(frame.buffer);
    expect(toHex(records as Uint8Array)).toBe(BATCH_A);
  });
});

describe("ApiVersions in a version that is not served", () => {
  it("is told apart, whatever stands in its body, and answered in version 0", () => {
    const request = decodeRequest(fromHex("00120063000000070002633199ff"));
    expect(request).toMatchObject({ name: "UnknownApiVersions", version: 99, correlationId: 7 });
    const hex = "0000001000000007002300000001001200000004";
    expect(toHex(joined(encodeVersionsFallback(7)))).toBe(hex);
  });

  it("never has tagged fields in its response header", () => {
    const body = { errorCode: 0, apiKeys: ADVERTISED_VERSIONS };
    const frame = withoutLength(encodeResponse("ApiVersions", 3, 7, body));
    expect(toHex(frame.subarray(0, 6))).toBe("000000070000");
  });
});

describe.each(servedVersions())("$name version $version", ({ name, api, version }) => {
  it("decodes what it encoded, requests and responses", () => {
    const requests = arbitraryMessage(api.request, version);
    const responses = arbitraryMessage(api.response, version);
    fc.assert(
      fc.property(requests, responses, fc.integer(), (asked, answered, correlationId) => {
        const header = { correlationId, clientId: "client" };
        const sent = (encodeRequest as Loose)(name, version, header, asked);
        const request = decodeRequest(withoutLength(sent));
        expect(request).toEqual({
          apiKey: api.key,
          version,
          correlationId,
          clientId: "client",
          name,
          body: asked,
        });
        const back = (encodeResponse as Loose)(name, version, correlationId, answered);
        expect(decodeResponse(name, version, withoutLength(back))).toEqual({
          correlationId,
          body: answered,
        });
      }),
      { numRuns: 25 },
    );
  });
});
