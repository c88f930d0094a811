/** The targets of frames: a stream that is cut anywhere gives the frames that were put in. */
import { FrameReader, ProtocolError } from "@strandline/kafka-protocol";
import { makeBytes } from "./message-maker.mjs";
import { int32Bytes, joined } from "./mutation.mjs";

const FRAMES_MAX = 6;
/** What a reader of lent bytes has for the beginning of a frame, whatever came of it. */
const AHEAD_BYTES = 64 * 1024;
/** One frame may have room for all of it before it came: brokers bound what all of them have. */
const ROOM_BYTES_MAX = 256 * 1024;
const LENT_BYTES = 64 * 1024;
/** Up to this long, a stream may come byte by byte. */
const SCALED_BYTES = 20_000;

export class FrameTarget {
  name = "frames";
  mark = "frames";
  frameBytesMax = 32 * 1024;
  longBytesMax = 20_000;

  /** A stream, its first byte saying how it is cut: so bytes alone repeat a run. */
  input(random) {
    const parts = [Uint8Array.of(random.below(256))];
    for (let count = random.below(FRAMES_MAX); count >= 0; count -= 1) {
      const isLong = random.below(8) === 0;
      const length = isLong
        ? Math.floor(random.logarithmic(100, this.longBytesMax))
        : random.below(80);
      const lies = this.#lies();
      const declared = random.below(12) === 0 ? lies[random.below(lies.length)] : length;
      parts.push(int32Bytes(declared), isLong ? new Uint8Array(length) : makeBytes(length, random));
    }
    const bytes = joined(...parts);
    return random.below(4) === 0 ? bytes.subarray(0, 1 + random.below(bytes.length)) : bytes;
  }

  run(bytes) {
    const cut = cuts(bytes[0] ?? 0);
    // A long stream byte by byte would measure the calls, and nothing else.
    const scale = Math.ceil(bytes.length / SCALED_BYTES);
    const reader = this.open();
    const frames = [];
    try {
      for (let at = 1; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + cut() * scale);
        this.push(reader, bytes.subarray(at, end), frames);
        at = end;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { frames, end: error.problem };
    }
    return { frames, end: reader.isInside ? "unfinished" : "whole" };
  }

  open() {
    return new FrameReader({ frameBytesMax: this.frameBytesMax });
  }

  push(reader, bytes, frames) {
    reader.push(bytes);
    takeAll(reader, frames);
  }

  check({ frames, end }, bytes) {
    const expected = split(bytes.subarray(1), this.frameBytesMax);
    if (end !== expected.end) throw new Error(`the stream is ${end}, not ${expected.end}`);
    const isSame =
      frames.length === expected.frames.length &&
      frames.every((frame, at) => Buffer.compare(frame, expected.frames[at]) === 0);
    if (!isSame) throw new Error("the frames are others than those that were sent");
    return end;
  }

  /** Lengths that lie, or that the bound is about. */
  #lies() {
    const max = this.frameBytesMax;
    return [-1, -2_147_483_648, 2_147_483_647, max + 1, max, 0x0100_0000];
  }
}

/** As a broker reads: bytes that are overwritten afterwards, and memory that is used again. */
export class LentFrameTarget extends FrameTarget {
  name = "lent frames";
  frameBytesMax = ROOM_BYTES_MAX;
  longBytesMax = 200_000;
  floorBytes = ROOM_BYTES_MAX + AHEAD_BYTES;
  #lent = new Uint8Array(LENT_BYTES);

  open() {
    const frames = {
      take: (length) => new Uint8Array(length),
      release: (bytes) => bytes.fill(0xa5),
    };
    return new FrameReader({ frameBytesMax: this.frameBytesMax, frames });
  }

  push(reader, bytes, frames) {
    for (let at = 0; at < bytes.length; at += LENT_BYTES) {
      const some = bytes.subarray(at, at + LENT_BYTES);
      this.#lent.set(some);
      reader.pushLent(this.#lent.subarray(0, some.length));
      this.#lent.fill(0x5a, 0, some.length);
      takeAll(reader, frames);
      reader.makeRoom();
    }
  }
}

function takeAll(reader, frames) {
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
}

/** Sizes of chunks: byte by byte, small, large, or mixed. Only few are made of a long stream. */
function cuts(seed) {
  const kind = seed & 3;
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const some = state >>> 16;
    if (kind === 0) return 1 + (some & 7);
    if (kind === 1) return 1 + (some % 100);
    if (kind === 2) return 1 + (some % 5_000) * (seed & 4 ? 20 : 1);
    return 1 + (some % (some & 1 ? 4 : 3_000));
  };
}

/** The same, written as plainly as it can be. */
function split(bytes, frameBytesMax) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames = [];
  let at = 0;
  for (;;) {
    if (at === bytes.length) return { frames, end: "whole" };
    if (bytes.length - at < 4) return { frames, end: "unfinished" };
    const length = view.getInt32(at);
    if (length < 0) return { frames, end: "malformed" };
    if (length > frameBytesMax) return { frames, end: "too-large" };
    if (bytes.length - at - 4 < length) return { frames, end: "unfinished" };
    frames.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
}
