/**
 * What peers may send to hurt: lengths and counts that lie, bytes that mean nothing, batches that
 * unpack to gigabytes. Every API and version, because memory by declared size has been found in
 * brokers one API at a time.
 */
import { portableCrc32c as crc32c } from "@strandline/model";
import { producedBatchProblem } from "@strandline/record";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApiName } from "./apis/served-apis.js";
import { decodeRequest, encodeRequest, encodeResponse } from "./exchange.js";
import { ProtocolError } from "./protocol-error.js";
import { arbitraryMessage } from "./testdata/arbitrary-message.js";
import { fromHex, joined, withoutLength } from "./testdata/frames.js";
import { outcomeOf } from "./testdata/hostile.js";
import { type ServedVersion, servedVersions } from "./testdata/versions.js";

const SEED = 20_260;
/** Random frames; more for a longer search: `STRANDLINE_FUZZ_RUNS=10000000`. */
const FUZZ_RUNS = Number(process.env["STRANDLINE_FUZZ_RUNS"] ?? 40_000);

/** Counts and lengths that lie: of 16 and 32 bits, and variable ones. */
const LIES = ["fffe", "7fffffff", "ffffffff0f"];

type Loose = (name: ApiName, version: number, header: unknown, body: unknown) => Uint8Array[];

/** Frames of one API and version, of one or the other direction. */
function samples({ name, api, version }: ServedVersion, count: number) {
  const requests = fc.sample(arbitraryMessage(api.request, version), {
    seed: SEED,
    numRuns: count,
  });
  const header = { correlationId: 1, clientId: "fuzz" };
  const responses = fc.sample(arbitraryMessage(api.response, version), {
    seed: SEED,
    numRuns: count,
  });
  return {
    requests: requests.map((body) =>
      withoutLength((encodeRequest as Loose)(name, version, header, body)),
    ),
    responses: responses.map((body) =>
      withoutLength((encodeResponse as Loose)(name, version, 1, body)),
    ),
  };
}

describe.each(servedVersions())("$name version $version", (served) => {
  it("refuses or bounds every count and length that lies, wherever it stands", () => {
    const { requests, responses } = samples(served, 8);
    for (const lie of LIES.map((hex) => fromHex(hex))) {
      // The header's key and version stay: another API has its own turn.
      lieEverywhere(fullest(requests), lie, 4, (bytes) => outcomeOf(bytes));
      lieEverywhere(fullest(responses), lie, 0, (bytes) => outcomeOf(bytes, served));
    }
  });

  it("refuses a request that ends too early, wherever it ends", () => {
    for (const frame of samples(served, 3).requests) {
      for (let end = 0; end < frame.length; end++) {
        expect(() => decodeRequest(frame.subarray(0, end))).toThrow(ProtocolError);
      }
    }
  });
});

/** The longest frame that is not too long for a look at each of its bytes. */
function fullest(frames: readonly Uint8Array[]): Uint8Array {
  const short = frames.filter((frame) => frame.length <= 400);
  const byLength = (short.length > 0 ? short : frames).toSorted((a, b) => b.length - a.length);
  return (byLength[0] as Uint8Array).subarray(0, 400);
}

function lieEverywhere(
  frame: Uint8Array,
  lie: Uint8Array,
  from: number,
  check: (frame: Uint8Array) => unknown,
): void {
  for (let at = from; at + lie.length <= frame.length; at++) {
    const bytes = frame.slice();
    bytes.set(lie, at);
    check(bytes);
  }
}

describe("random frames", () => {
  it("are decoded or refused, and nothing else", () => {
    const served = servedVersions();
    const corpus = served.map((each) => samples(each, 6));
    const random = randomNumbers(SEED);
    const outcomes = { decoded: 0, refused: 0 };
    for (let run = 0; run < FUZZ_RUNS; run++) {
      const which = random(served.length);
      const of = served[which] as ServedVersion;
      const { requests, responses } = corpus[which] as (typeof corpus)[number];
      const isRequest = random(3) > 0;
      const pool = isRequest ? requests : responses;
      const frame = mutated(pool[random(pool.length)] as Uint8Array, isRequest ? 8 : 4, random);
      outcomes[outcomeOf(frame, isRequest ? undefined : of)]++;
    }
    // Both ways are taken often: what is refused at once would test nothing.
    expect(outcomes.decoded).toBeGreaterThan(FUZZ_RUNS / 20);
    expect(outcomes.refused).toBeGreaterThan(FUZZ_RUNS / 20);
  });
});

type Random = (below: number) => number;

function randomNumbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

/** Some bytes changed, cut off, doubled or replaced; what is before `from` stays. */
function mutated(frame: Uint8Array, from: number, random: Random): Uint8Array {
  let bytes: Uint8Array = frame.slice();
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = from + random(Math.max(1, bytes.length - from));
    switch (random(6)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes = joined([bytes.subarray(0, at), bytes.subarray(Math.max(from, at - random(20)))]);
        break;
      case 2:
        for (let index = at; index < bytes.length; index++) bytes[index] = random(256);
        break;
      case 3:
        bytes.set(fromHex(LIES[random(LIES.length)] as string).subarray(0, bytes.length - at), at);
        break;
      default:
        if (at < bytes.length) bytes[at] = random(2) === 0 ? random(256) : random(4);
    }
  }
  return bytes;
}

describe("requests that name nothing that is served", () => {
  it.each([
    ["an unknown API", "7fff0000000000010000", "unsupported-api"],
    ["a negative API", "ffff0000000000010000", "unsupported-api"],
    ["an API of later", "00110000000000010000", "unsupported-api"],
    ["Produce in a version that is only advertised", "00000002000000010000", "unsupported-version"],
    ["a negative version", "0003ffff000000010000", "unsupported-version"],
    ["a version above all", "00037fff000000010000", "unsupported-version"],
    ["half a header", "000300", "malformed"],
    ["nothing", "", "malformed"],
  ])("are refused: %s", (_what, hex, problem) => {
    expect(() => decodeRequest(fromHex(hex))).toThrow(expect.objectContaining({ problem }));
  });
});

describe("many elements", () => {
  /** A Metadata request of version 1 with as many empty names. */
  function metadata(count: number): Uint8Array {
    const frame = new Uint8Array(14 + 2 * count);
    new DataView(frame.buffer).setInt32(0, 0x0003_0001);
    new DataView(frame.buffer).setInt32(10, count);
    return frame;
  }

  it("are refused above the bound, though their bytes are there", () => {
    expect(decodeRequest(metadata(50_000)).name).toBe("Metadata");
    expect(() => decodeRequest(metadata(50_001))).toThrow(
      expect.objectContaining({ problem: "too-large" }),
    );
  });

  it("are refused where their list would be larger than four times the bytes they came in", () => {
    /** A ListGroups request of version 4 whose states are empty, one byte each. */
    function listGroups(count: number): Uint8Array {
      const header = fromHex("0010000400000001ffff00");
      const length = Uint8Array.of(((count + 1) & 0x7f) | 0x80, (count + 1) >> 7);
      return joined([header, length, new Uint8Array(count).fill(1), new Uint8Array(1)]);
    }
    expect(decodeRequest(listGroups(500)).name).toBe("ListGroups");
    expect(() => decodeRequest(listGroups(5_000))).toThrow(
      expect.objectContaining({ problem: "too-large" }),
    );
  });
});

describe("batches in a request", () => {
  const BATCH = fromHex(
    "0000000000000000000000410000000002e642c076000000000000000001a1fb892919000001a1fb892919" +
      "ffffffffffffffffffffffffffff000000011e000000046b31047631020468310278",
  );

  function produced(records: Uint8Array): Uint8Array {
    const topicData = [{ name: "t", partitionData: [{ index: 0, records }] }];
    const header = { correlationId: 1, clientId: null };
    const body = { acks: 1, timeoutMs: 1, topicData };
    const request = decodeRequest(withoutLength(encodeRequest("Produce", 9, header, body)));
    if (request.name !== "Produce") throw new Error("another request");
    return request.body.topicData[0]?.partitionData[0]?.records as Uint8Array;
  }

  it("are views that nobody has opened, so that one that unpacks to gigabytes costs nothing", () => {
    const bomb = new Uint8Array(3_000_000).fill(0x1f);
    expect(Buffer.compare(produced(bomb), bomb)).toBe(0);
  });

  it("are found damaged by whoever checks them, whichever bit it is", () => {
    expect(producedBatchProblem(produced(BATCH), crc32c)).toBeUndefined();
    for (let bit = 0; bit < BATCH.length * 8; bit++) {
      // Base offset and leader epoch are stamped by the broker, whatever a client writes there.
      const byte = bit >> 3;
      if (byte < 8 || (byte >= 12 && byte < 16)) continue;
      const damaged = BATCH.slice();
      damaged[byte] = (damaged[byte] as number) ^ (1 << (bit & 7));
      expect(producedBatchProblem(produced(damaged), crc32c), `bit ${bit}`).toBeDefined();
    }
  });
});
