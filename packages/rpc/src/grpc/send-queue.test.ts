import { describe, expect, it } from "vitest";
import { lengthOfChunks } from "../wire/wire-writer.js";
import { type OnWritten, QUEUED_BYTES_MAX, SendQueue } from "./send-queue.js";

const MIB = 1024 * 1024;

/** A queue to a network that takes messages when the test says so. */
function queueTo(inFlightBytesMax: number) {
  const written: number[] = [];
  const done: OnWritten[] = [];
  let drains = 0;
  const queue = new SendQueue({
    write: (message, taken) => {
      written.push(lengthOfChunks(message));
      done.push(taken);
    },
    inFlightBytesMax,
    onDrain: () => {
      drains += 1;
    },
  });
  return {
    queue,
    written,
    drains: () => drains,
    breakOff: () => done.shift()?.(new Error("broken")),
    take: (count: number) => {
      for (let left = count; left > 0; left -= 1) done.shift()?.();
    },
  };
}

describe(SendQueue, () => {
  it("writes nothing before it is open, and then in order", () => {
    const { queue, written, take } = queueTo(1);
    for (const size of [1, 2, 3]) queue.push([Buffer.alloc(size)]);
    expect(written).toEqual([]);
    queue.open();
    expect(written).toEqual([1]);
    take(1);
    take(1);
    expect(written).toEqual([1, 2, 3]);
  });

  it("says when the network has taken a message, but not when it broke over it", () => {
    const { queue, take, breakOff } = queueTo(1000);
    const taken: string[] = [];
    queue.open();
    queue.push([Buffer.alloc(1)], () => taken.push("first"));
    queue.push([Buffer.alloc(1)], () => taken.push("second"));
    expect(taken).toEqual([]);
    take(1);
    breakOff();
    expect(taken).toEqual(["first"]);
  });

  it("gives the network a bounded part at a time, but always one message", () => {
    const { queue, written } = queueTo(1000);
    queue.open();
    queue.push([Buffer.alloc(5000)]);
    queue.push([Buffer.alloc(10)]);
    expect(written).toEqual([5000]);
    const small = queueTo(1000);
    small.queue.open();
    for (let count = 0; count < 20; count += 1) small.queue.push([Buffer.alloc(36)]);
    expect(small.written.length).toBe(10);
  });

  it("asks its sender to stop above the bound, and to go on below half of it", () => {
    const { queue, take, drains } = queueTo(1);
    queue.open();
    const accepted = [1, 2, 3, 4, 5].map(() => queue.push([Buffer.alloc(MIB)]));
    expect(accepted).toEqual([true, true, true, false, false]);
    expect(QUEUED_BYTES_MAX).toBe(4 * MIB);
    take(3);
    expect(drains()).toBe(0);
    take(1);
    expect(drains()).toBe(1);
    take(1);
    expect(drains()).toBe(1);
  });

  it("counts many small messages too", () => {
    const { queue } = queueTo(1);
    queue.open();
    let accepted = 0;
    while (queue.push([Buffer.alloc(0)])) accepted += 1;
    expect(accepted).toBe(QUEUED_BYTES_MAX / 64);
  });

  it("says when all was taken, and nothing any more once it was dropped", () => {
    const { queue, take, drains } = queueTo(1);
    let flushed = 0;
    const count = () => {
      flushed += 1;
    };
    queue.whenFlushed(count);
    expect(flushed).toBe(1);
    queue.open();
    queue.push([Buffer.alloc(1)]);
    queue.whenFlushed(count);
    expect(flushed).toBe(1);
    take(1);
    expect(flushed).toBe(2);
    for (let left = 5; left > 0; left -= 1) queue.push([Buffer.alloc(MIB)]);
    queue.whenFlushed(count);
    queue.drop();
    take(5);
    expect([flushed, drains(), queue.isBusy]).toEqual([2, 0, false]);
  });
});
