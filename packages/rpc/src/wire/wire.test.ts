import { AssertionError } from "@strandline/model";
import { describe, expect, it } from "vitest";
import {
  consumeResponseCodec,
  createTopicRequestCodec,
  electLeadersRequestCodec,
  fetchResponseCodec,
  initProducerIdResponseCodec,
  type LeaderMessage,
  leaderMessageCodec,
  type OutgoingConsumeResponse,
  type OutgoingLeaderMessage,
  type OutgoingProduceRequest,
  type ProduceRequest,
  produceRequestCodec,
  startPositionCodec,
} from "../index.js";
import { DecodeError } from "./decode-error.js";
import { MESSAGE_ELEMENTS_MAX } from "./limits.js";

const PIECES = [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3, 4, 5)];
const JOINED = Uint8Array.of(1, 2, 3, 4, 5);

function produceRequest(fields: Partial<ProduceRequest>): ProduceRequest {
  return {
    correlationId: 0,
    topic: "",
    acks: "ACKS_ALL",
    timeoutMs: 0,
    records: [],
    batch: new Uint8Array(0),
    forwarded: false,
    ...fields,
  };
}

describe("bytes of a message", () => {
  it("are a view of what was received", () => {
    const bytes = produceRequestCodec.encode(produceRequest({ topic: "t", batch: JOINED }));
    const { batch } = produceRequestCodec.decode(bytes);
    expect(batch.buffer).toBe(bytes.buffer);
    expect(batch).toEqual(JOINED);
  });

  it("are found in a view that does not start its buffer", () => {
    const bytes = produceRequestCodec.encode(produceRequest({ batch: JOINED }));
    const shifted = new Uint8Array(bytes.length + 7);
    shifted.set(bytes, 7);
    expect(produceRequestCodec.decode(shifted.subarray(7)).batch).toEqual(JOINED);
  });

  it("may be given in pieces, and go out as if they were joined", () => {
    const produce: OutgoingProduceRequest = { ...produceRequest({}), batch: PIECES };
    const encoded = produceRequestCodec.encode(produce as never);
    expect(encoded).toEqual(produceRequestCodec.encode(produceRequest({ batch: JOINED })));

    const position = { topic: "t", partition: 1, highWatermark: 9, logStartOffset: 0 };
    const consume: OutgoingConsumeResponse = {
      ...position,
      nextOffset: 5,
      records: [],
      batches: PIECES,
    };
    const received = consumeResponseCodec.decode(consumeResponseCodec.encode(consume as never));
    expect(received.batches).toEqual(JOINED);

    const fetch = { highWatermark: 9, logStartOffset: 0, nextOffset: 5, records: [] };
    const fetched = fetchResponseCodec.encode({ ...fetch, batches: PIECES as never });
    expect(fetchResponseCodec.decode(fetched).batches).toEqual(JOINED);

    const append: OutgoingLeaderMessage = {
      append: {
        topicId: "AAAAAAAAAAAAAAAAAAAAAA",
        partition: 0,
        leaderEpoch: 1,
        session: 2,
        baseOffset: 3,
        highWatermark: 4,
        logStartOffset: 0,
        batches: PIECES,
      },
    };
    const appended = leaderMessageCodec.decode(leaderMessageCodec.encode(append as never));
    expect(appended.append?.batches).toEqual(JOINED);
  });
});

describe("a message in pieces", () => {
  const large = new Uint8Array(10_000).fill(7);
  const append = { topicId: "t", partition: 1, leaderEpoch: 2, session: 3, baseOffset: 4 };
  const marks = { highWatermark: 5, logStartOffset: 6 };

  function piecesOf(message: OutgoingLeaderMessage): readonly Uint8Array[] {
    return leaderMessageCodec.encodePieces?.(message as LeaderMessage) ?? [];
  }

  it("has the bytes of the whole, and large ones are those that were given", () => {
    const batches = [large, Uint8Array.of(1, 2), large.subarray(1), Uint8Array.of(3)];
    const message: OutgoingLeaderMessage = { append: { ...append, ...marks, batches } };
    const pieces = piecesOf(message);
    const whole = leaderMessageCodec.encode(message as LeaderMessage);
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
    expect(pieces.includes(large)).toBe(true);
  });

  it("is one piece when it is small", () => {
    const batches = [Uint8Array.of(1, 2)];
    expect(piecesOf({ append: { ...append, ...marks, batches } })).toHaveLength(1);
  });

  it("may have more between its large bytes than one buffer holds", () => {
    const sizes = [0, 1, 300, 4095, 4096, 4097, 20_000];
    const records = Array.from({ length: 200 }, (_, index) => ({
      key: new Uint8Array(sizes[index % sizes.length] as number).fill(index),
      value: new Uint8Array(sizes[(3 * index) % sizes.length] as number),
      timestampMs: -index,
      offset: 0,
      headers: [{ key: "k".repeat(index * 100), value: Uint8Array.of(index) }],
    }));
    const message = produceRequest({ topic: "ü".repeat(200), records });
    const pieces = produceRequestCodec.encodePieces?.(message) ?? [];
    expect(Buffer.concat(pieces).equals(produceRequestCodec.encode(message))).toBe(true);
    expect(pieces.length).toBeGreaterThan(100);
  });
});

describe("numbers of a message", () => {
  it("are refused above 2^53 - 1", () => {
    const max = { producerId: Number.MAX_SAFE_INTEGER, producerEpoch: -1 };
    expect(initProducerIdResponseCodec.decode(initProducerIdResponseCodec.encode(max))).toEqual(
      max,
    );
    const beyond = Uint8Array.of(8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
    expect(() => initProducerIdResponseCodec.decode(beyond)).toThrow(DecodeError);
  });

  it("are refused when their varint has more than ten bytes", () => {
    const long = Uint8Array.of(8, ...Array.from({ length: 10 }, () => 0x80), 0);
    expect(() => initProducerIdResponseCodec.decode(long)).toThrow("longer than ten bytes");
  });

  it("stop the sender when they do not fit their field", () => {
    const message = { producerId: 1.5, producerEpoch: 0 };
    expect(() => initProducerIdResponseCodec.encode(message)).toThrow(AssertionError);
    const wide = { producerId: 1, producerEpoch: 2 ** 31 };
    expect(() => initProducerIdResponseCodec.encode(wide)).toThrow(AssertionError);
  });

  it("are read one by one as well as packed", () => {
    const single = Uint8Array.of(16, 1, 16, 2, 18, 1, 3);
    expect(electLeadersRequestCodec.decode(single).partitions).toEqual([1, 2, 3]);
  });
});

describe("structure of a message", () => {
  it("does not let a nested message reach past its end", () => {
    const overlong = Uint8Array.of(50, 2, 42, 5, 1, 2, 3, 4, 5);
    expect(() => produceRequestCodec.decode(overlong)).toThrow(DecodeError);
  });

  it("does not let a declared length reserve memory", () => {
    const huge = Uint8Array.of(58, 0xff, 0xff, 0xff, 0xff, 0x07);
    expect(() => produceRequestCodec.decode(huge)).toThrow("ends inside a field");
  });

  it("bounds how many list elements a message unpacks into", () => {
    const elements = Buffer.alloc(2 * (MESSAGE_ELEMENTS_MAX + 1));
    for (let at = 0; at < elements.length; at += 2) elements[at] = 50;
    expect(() => produceRequestCodec.decode(elements)).toThrow(`${MESSAGE_ELEMENTS_MAX} list`);
    expect(produceRequestCodec.decode(elements.subarray(2)).records.length).toBe(
      MESSAGE_ELEMENTS_MAX,
    );
  });

  it("keeps the last member of a oneof that came twice", () => {
    const both = Uint8Array.of(8, 5, 24, 1);
    expect(startPositionCodec.decode(both)).toEqual({ earliest: true });
  });

  it("refuses names that are not UTF-8, and keeps those that hold the replacement sign", () => {
    const broken = Uint8Array.of(18, 2, 0xc3, 0x28);
    expect(() => produceRequestCodec.decode(broken)).toThrow("not UTF-8");
    const encoded = produceRequestCodec.encode(produceRequest({ topic: "a\u{fffd}b" }));
    expect(produceRequestCodec.decode(encoded).topic).toBe("a\u{fffd}b");
  });

  it("takes a map key that is the name of a prototype for what it is", () => {
    const configs = new Map([["__proto__", "x"]]);
    const request = {
      name: "t",
      partitions: 1,
      replicationFactor: 1,
      configs,
      assignments: [],
      validateOnly: false,
      allowWeakDurability: false,
    };
    const bytes = createTopicRequestCodec.encode(request);
    expect(createTopicRequestCodec.decode(bytes).configs).toEqual(configs);
  });

  it("refuses groups that are nested without end, or end each other", () => {
    expect(() => produceRequestCodec.decode(new Uint8Array(1000).fill(0x83, 0, 1000))).toThrow(
      DecodeError,
    );
    const deep = new Uint8Array(200).fill(0x7b);
    expect(() => produceRequestCodec.decode(deep)).toThrow("nested too deeply");
    expect(() => produceRequestCodec.decode(Uint8Array.of(0x7b, 0x74))).toThrow("did not begin");
  });

  it("refuses an enum value that it does not know, rather than taking it for another", () => {
    expect(() => produceRequestCodec.decode(Uint8Array.of(32, 9))).toThrow("Acks has no value 9");
  });
});
