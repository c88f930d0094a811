import { BrokerError } from "@strandline/model";
import { BufferPool, release } from "@strandline/platform";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DecodeError } from "../wire/decode-error.js";
import { FrameReader } from "./frame-reader.js";

const MIB = 1024 * 1024;

function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function messagesOf(reader: FrameReader): Buffer[] {
  const found: Buffer[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) found.push(next);
  return found;
}

describe(FrameReader, () => {
  it("finds the same messages however the network cuts them", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(messages, cuts, (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((each) => framed(each)));
        const reader = new FrameReader(MIB);
        const found: Buffer[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const end = at + (sizes[cut % sizes.length] as number);
          reader.push(bytes.subarray(at, end));
          found.push(...messagesOf(reader));
          at = end;
        }
        expect(found.map((each) => [...each])).toEqual(sent.map((each) => [...each]));
        expect(reader.isInside).toBe(false);
      }),
    );
  });

  it("takes one byte at a time, and knows that it is inside a message", () => {
    const bytes = framed(Buffer.from("hello"));
    const reader = new FrameReader(MIB);
    for (const byte of bytes.subarray(0, -1)) {
      reader.push(Buffer.of(byte));
      expect(reader.next()).toBeUndefined();
      expect(reader.isInside).toBe(true);
    }
    reader.push(bytes.subarray(-1));
    expect(reader.next()?.toString()).toBe("hello");
    expect(reader.isInside).toBe(false);
  });

  it("hands on a view when a chunk holds the whole message", () => {
    const chunk = framed(Buffer.from("hello"));
    const reader = new FrameReader(MIB);
    reader.push(chunk);
    expect(reader.next()?.buffer).toBe(chunk.buffer);
  });

  it("joins large messages in memory that is used again", () => {
    const pool = new BufferPool({ bytesMin: 8 });
    const reader = new FrameReader(MIB);
    reader.joinInto(pool);
    const found = ["first message", "other message"].map((text) => {
      const bytes = framed(Buffer.from(text));
      reader.push(bytes.subarray(0, 7));
      reader.push(bytes.subarray(7));
      const message = reader.next() as Buffer;
      expect(message.toString()).toBe(text);
      release(message);
      return message.buffer;
    });
    expect(found[1]).toBe(found[0]);
  });

  it("refuses a message over the limit by its prefix alone", () => {
    const reader = new FrameReader(100);
    reader.push(Buffer.of(0, 0xff, 0xff, 0xff, 0xff));
    expect(() => reader.next()).toThrow(BrokerError);
  });

  it("refuses a compressed message", () => {
    const reader = new FrameReader(MIB);
    reader.push(framed(Buffer.from("x"), 1));
    expect(() => reader.next()).toThrow(DecodeError);
  });
});
