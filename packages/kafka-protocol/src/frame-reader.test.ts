import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader } from "./frame-reader.js";
import { ProtocolError } from "./protocol-error.js";
import { joined } from "./testdata/frames.js";

const MIB = 1024 * 1024;

function framed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setInt32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

function framesOf(reader: FrameReader): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) found.push(next);
  return found;
}

function counting(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => from + index);
}

describe(FrameReader, () => {
  it.each([
    ["its own", (reader: FrameReader, bytes: Uint8Array) => reader.push(bytes)],
    [
      "lent",
      (reader: FrameReader, bytes: Uint8Array) => {
        reader.pushLent(bytes);
        bytes.fill(0xee);
      },
    ],
  ])("finds the same frames however the network cuts them, of bytes that are %s", (_what, push) => {
    const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(6000)), { maxLength: 6 });
    const cuts = fc.array(fc.oneof(fc.nat(9), fc.nat(3000)), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, cuts, (lengths, pieces) => {
        const sent = lengths.map((length, index) => counting(length, index));
        const bytes = joined(sent.map((each) => framed(each)));
        const reader = new FrameReader({ frameBytesMax: MIB });
        const found: Uint8Array[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const end = at + 1 + (pieces[cut % pieces.length] as number);
          push(reader, bytes.slice(at, end));
          // Not each time: a reader may be asked later.
          if (cut % 3 !== 1) found.push(...framesOf(reader));
          at = end;
        }
        found.push(...framesOf(reader));
        expect(found.length).toBe(sent.length);
        for (const [index, frame] of found.entries()) {
          expect(Buffer.compare(frame, sent[index] as Uint8Array)).toBe(0);
        }
        expect(reader.isInside).toBe(false);
      }),
    );
  });

  it("takes one byte at a time, and knows that it is inside a frame", () => {
    const bytes = framed(counting(5));
    const reader = new FrameReader({ frameBytesMax: MIB });
    for (const byte of bytes.subarray(0, -1)) {
      reader.push(Uint8Array.of(byte));
      expect(reader.next()).toBeUndefined();
      expect(reader.isInside).toBe(true);
    }
    reader.push(bytes.subarray(-1));
    expect(reader.next()).toEqual(counting(5));
    expect(reader.isInside).toBe(false);
  });

  it("hands on a view when a chunk holds the whole frame", () => {
    const chunk = joined([framed(counting(3)), framed(counting(2000))]);
    const reader = new FrameReader({ frameBytesMax: MIB });
    reader.push(chunk);
    expect(framesOf(reader).map((frame) => frame.buffer === chunk.buffer)).toEqual([true, true]);
  });

  it("keeps a frame that came in small chunks as it was when the next ones come", () => {
    const reader = new FrameReader({ frameBytesMax: MIB });
    const frames: Uint8Array[] = [];
    for (let round = 0; round < 3000; round++) {
      for (const byte of framed(Uint8Array.of(round, round >> 8))) {
        reader.push(Uint8Array.of(byte));
        frames.push(...framesOf(reader));
      }
    }
    expect(frames.map((frame) => (frame[0] as number) | ((frame[1] as number) << 8))).toEqual(
      Array.from({ length: 3000 }, (_, round) => round),
    );
  });

  it("takes an empty frame, which SASL has", () => {
    const reader = new FrameReader({ frameBytesMax: MIB });
    reader.push(new Uint8Array(4));
    expect(reader.next()).toEqual(new Uint8Array(0));
    expect(reader.isInside).toBe(false);
  });

  it.each([
    ["negative", [0xff, 0xff, 0xff, 0xff], "malformed"],
    ["the largest", [0x7f, 0xff, 0xff, 0xff], "too-large"],
    ["one too large", [0, 0, 0, 101], "too-large"],
  ])("refuses a length that is %s by its four bytes alone", (_what, bytes, problem) => {
    const reader = new FrameReader({ frameBytesMax: 100, allocate: () => expect.unreachable() });
    reader.push(Uint8Array.from(bytes));
    expect(() => reader.next()).toThrow(expect.objectContaining({ problem }));
    expect(() => new FrameReader({ frameBytesMax: 1 }).next()).not.toThrow(ProtocolError);
  });

  it("takes larger frames once it may, and never smaller ones again", () => {
    const reader = new FrameReader({ frameBytesMax: 10 });
    reader.raiseFrameBytesMax(20);
    reader.raiseFrameBytesMax(5);
    reader.push(framed(counting(20)));
    expect(reader.next()?.length).toBe(20);
  });

  it("asks for the memory of a frame only when all of it is there", () => {
    const asked: number[] = [];
    const allocate = (length: number) => {
      asked.push(length);
      return new Uint8Array(length);
    };
    const reader = new FrameReader({ frameBytesMax: MIB, allocate });
    const bytes = framed(counting(5000));
    reader.push(bytes.subarray(0, 4));
    for (let at = 4; at < bytes.length; at += 1) {
      expect(reader.next()).toBeUndefined();
      expect(asked).toEqual([]);
      reader.push(bytes.subarray(at, at + 1));
    }
    expect(reader.next()?.length).toBe(5000);
    expect(asked).toEqual([5000]);
  });

  it("fills a large frame as it comes, in memory for all of it", () => {
    const sent = counting(MIB);
    const bytes = joined([framed(counting(7)), framed(sent), framed(counting(9))]);
    const allocated: number[] = [];
    const reader = new FrameReader({
      frameBytesMax: MIB,
      allocate: (length) => {
        allocated.push(length);
        return new Uint8Array(length);
      },
    });
    const found: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 50_000) {
      reader.pushLent(bytes.slice(at, at + 50_000));
      found.push(...framesOf(reader));
      reader.makeRoom();
    }
    expect(found.map(({ length }) => length)).toEqual([7, MIB, 9]);
    expect(Buffer.compare(found[1] as Uint8Array, sent)).toBe(0);
    expect(allocated.filter((length) => length >= MIB)).toEqual([MIB]);
    expect(allocated.reduce((total, length) => total + length, 0)).toBeLessThan(1.3 * MIB);
  });

  it("gives back the memory in which a large frame began", () => {
    const sent = counting(MIB);
    const bytes = joined([framed(counting(7)), framed(sent), framed(sent)]);
    const held: number[] = [];
    const frames = {
      take: (length: number) => {
        held.push(length);
        return new Uint8Array(length);
      },
      release: ({ length }: Uint8Array) => held.splice(held.indexOf(length), 1),
    };
    const reader = new FrameReader({ frameBytesMax: MIB, frames });
    const found: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 200_000) {
      const lent = bytes.slice(at, at + 200_000);
      reader.pushLent(lent);
      found.push(...framesOf(reader));
      reader.makeRoom();
      lent.fill(0);
    }
    expect(found.map(({ length }) => length)).toEqual([7, MIB, MIB]);
    for (const frame of found.slice(1)) expect(Buffer.compare(frame, sent)).toBe(0);
    expect(held).toEqual([MIB, MIB]);
  });

  it("allocates little for a frame that is only announced", () => {
    const allocated: number[] = [];
    const reader = new FrameReader({
      frameBytesMax: 100 * MIB,
      allocate: (length) => {
        allocated.push(length);
        return new Uint8Array(length);
      },
    });
    reader.pushLent(Uint8Array.of(6, 0, 0, 0, 1, 2));
    expect(reader.next()).toBeUndefined();
    expect(allocated).toEqual([64 * 1024]);
  });

  it.each([
    ["a negative length", [0xff, 0xff, 0xff, 0xfe, 1, 2]],
    ["a length above the bound", [0x7f, 0, 0, 0, 1]],
  ])("refuses %s in lent bytes, and gives the frames before it", (_what, bad) => {
    const reader = new FrameReader({ frameBytesMax: MIB });
    reader.pushLent(Uint8Array.from([...framed(counting(3)), ...bad]));
    expect(reader.next()).toEqual(counting(3));
    expect(() => reader.next()).toThrow(ProtocolError);
  });
});
