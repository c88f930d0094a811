import { describe, expect, it } from "vitest";
import { EventHeap, SimEvent } from "./event-heap.js";
import { SimRandom } from "./random.js";

function event(timeUs: number, sequence: number): SimEvent {
  const run = (): void => undefined;
  return new SimEvent({ timeUs, sequence, owner: undefined, kind: "test", detail: 0, run });
}

function popAll(heap: EventHeap): number[] {
  const order: number[] = [];
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) order.push(next.sequence);
  return order;
}

describe(EventHeap, () => {
  it("gives events by time, and those of one time in the order of their scheduling", () => {
    const random = SimRandom.fromSeed(1);
    const heap = new EventHeap();
    const events = Array.from({ length: 5_000 }, (_, at) => event(random.below(100), at));
    for (const each of random.shuffled(events)) heap.push(each);
    const sorted = events.toSorted((a, b) => a.timeUs - b.timeUs || a.sequence - b.sequence);
    expect(popAll(heap)).toEqual(sorted.map((each) => each.sequence));
  });

  it("forgets cancelled events before they come due, and keeps the order of the rest", () => {
    const heap = new EventHeap();
    const events = Array.from({ length: 10_000 }, (_, at) => event((at * 7919) % 10_000, at));
    for (const each of events) heap.push(each);
    for (const each of events) {
      if (each.sequence % 10 === 0) continue;
      each.run = undefined;
      heap.noteCancelled();
    }
    expect(heap.size).toBeLessThan(5_000);
    const kept = events.filter((each) => each.run !== undefined);
    const sorted = kept.toSorted((a, b) => a.timeUs - b.timeUs).map((each) => each.sequence);
    expect(popAll(heap).filter((sequence) => sequence % 10 === 0)).toEqual(sorted);
  });
});
