/** The target of frames: a stream that is cut anywhere gives the frames that were put in. */
import { FrameReader, ProtocolError } from "@strandline/kafka-protocol";
import { makeBytes } from "./message-maker.mjs";
import { int32Bytes, joined } from "./mutation.mjs";

const FRAME_BYTES_MAX = 32 * 1024;
/** Lengths that lie, or that the bound is about. */
const LIES = [-1, -2_147_483_648, 2_147_483_647, FRAME_BYTES_MAX + 1, FRAME_BYTES_MAX, 0x0100_0000];
const FRAMES_MAX = 6;

export class FrameTarget {
  name = "frames";
  mark = "frames";

  /** A stream, its first byte saying how it is cut: so bytes alone repeat a run. */
  input(random) {
    const parts = [Uint8Array.of(random.below(256))];
    for (let count = random.below(FRAMES_MAX); count >= 0; count -= 1) {
      const isLong = random.below(8) === 0;
      const length = isLong ? Math.floor(random.logarithmic(100, 20_000)) : random.below(80);
      const declared = random.below(12) === 0 ? LIES[random.below(LIES.length)] : length;
      parts.push(int32Bytes(declared), isLong ? new Uint8Array(length) : makeBytes(length, random));
    }
    const bytes = joined(...parts);
    return random.below(4) === 0 ? bytes.subarray(0, 1 + random.below(bytes.length)) : bytes;
  }

  run(bytes) {
    const cut = cuts(bytes[0] ?? 0);
    const reader = new FrameReader({ frameBytesMax: FRAME_BYTES_MAX });
    const frames = [];
    try {
      for (let at = 1; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + cut());
        reader.push(bytes.subarray(at, end));
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          frames.push(frame);
        }
        at = end;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { frames, end: error.problem };
    }
    return { frames, end: reader.isInside ? "unfinished" : "whole" };
  }

  check({ frames, end }, bytes) {
    const expected = split(bytes.subarray(1));
    if (end !== expected.end) throw new Error(`the stream is ${end}, not ${expected.end}`);
    const isSame =
      frames.length === expected.frames.length &&
      frames.every((frame, at) => Buffer.compare(frame, expected.frames[at]) === 0);
    if (!isSame) throw new Error("the frames are others than those that were sent");
    return end;
  }
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
    if (kind === 2) return 1 + (some % 5_000);
    return 1 + (some % (some & 1 ? 4 : 3_000));
  };
}

/** The same, written as plainly as it can be. */
function split(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames = [];
  let at = 0;
  for (;;) {
    if (at === bytes.length) return { frames, end: "whole" };
    if (bytes.length - at < 4) return { frames, end: "unfinished" };
    const length = view.getInt32(at);
    if (length < 0) return { frames, end: "malformed" };
    if (length > FRAME_BYTES_MAX) return { frames, end: "too-large" };
    if (bytes.length - at - 4 < length) return { frames, end: "unfinished" };
    frames.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
}
