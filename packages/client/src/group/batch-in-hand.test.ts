import { describe, expect, it } from "vitest";
import type { ConsumerBatch } from "../consumer/consumer-record.js";
import { BatchInHand } from "./batch-in-hand.js";
import { DoneOffsets } from "./done-offsets.js";

const PLACE = { topic: "t", partition: 3 };

/** Two records at 5 and 7; nothing else comes before 10. */
function newBatch(): ConsumerBatch {
  const records = [{ offset: 5 }, { offset: 7 }];
  return { ...PLACE, nextOffset: 10, records } as unknown as ConsumerBatch;
}

function newHand(): { hand: BatchInHand; doneTo: () => number | undefined } {
  const done = new DoneOffsets();
  const hand = new BatchInHand(done);
  const doneTo = (): number | undefined => {
    hand.finish();
    return done.uncommitted()[0]?.offset;
  };
  return { hand, doneTo };
}

describe("a batch in hand", () => {
  it("is done as far as it was handed out", () => {
    const { hand, doneTo } = newHand();
    expect([hand.place, hand.next(), doneTo()]).toEqual([undefined, undefined, undefined]);
    hand.takeUp(newBatch());
    expect(hand.place).toMatchObject(PLACE);
    expect([doneTo(), hand.next()?.offset, doneTo()]).toEqual([undefined, 5, 6]);
    // With the last record also what comes after it is done.
    expect([hand.next()?.offset, doneTo(), hand.next()]).toEqual([7, 10, undefined]);
  });

  it("is done at once when it was handed out whole", () => {
    const { hand, doneTo } = newHand();
    hand.takeUp(newBatch());
    expect(hand.whole()?.records).toHaveLength(2);
    expect([hand.next(), doneTo()]).toEqual([undefined, 10]);
  });

  it("lets its partition go when it is put down", async () => {
    const { hand } = newHand();
    hand.takeUp(newBatch());
    expect([hand.isOf([PLACE]), hand.isOf([{ ...PLACE, partition: 0 }])]).toEqual([true, false]);
    await hand.untilFreeOf([{ ...PLACE, partition: 0 }]);
    let isFree = false;
    const free = hand.untilFreeOf([PLACE]).then(() => {
      isFree = true;
    });
    hand.putDown();
    // The same partition again: whoever waits for it goes on waiting.
    hand.takeUp(newBatch());
    await new Promise((resolve) => setImmediate(resolve));
    expect(isFree).toBe(false);
    hand.putDown();
    await free;
    expect([hand.isOf([PLACE]), hand.place]).toEqual([false, undefined]);
  });
});
