import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { Isr } from "./isr.js";

const [B1, B2, B3] = [nodeId(1), nodeId(2), nodeId(3)] as const;

/** 1 and 2 in sync under partition epoch 4, and 3 proposed. */
function proposing(): Isr {
  const isr = new Isr([B1, B2], 4);
  isr.propose([B1, B2, B3]);
  return isr;
}

describe(Isr, () => {
  it("counts those proposed and those not yet removed", () => {
    expect(proposing().maximal).toEqual([B1, B2, B3]);
    const shrinking = new Isr([B1, B2, B3], 4);
    shrinking.propose([B1]);
    expect(shrinking.maximal).toEqual([B1, B2, B3]);
  });

  it("takes the controller's word when a proposal is committed", () => {
    const isr = proposing();
    expect(isr.answered({ kind: "committed", isr: [B1, B3], partitionEpoch: 5 })).toBe(true);
    expect(isr.maximal).toEqual([B1, B3]);
    expect(isr.partitionEpoch).toBe(5);
  });

  it("forgets a proposal that was certainly not applied, and no other", () => {
    const certain = proposing();
    certain.answered({ kind: "refused", code: "INELIGIBLE_REPLICA" });
    expect(certain.maximal).toEqual([B1, B2]);
    const open = proposing();
    open.answered({ kind: "refused", code: "REQUEST_TIMED_OUT" });
    expect(open.maximal).toEqual([B1, B2, B3]);
    expect(open.isInDoubt).toBe(true);
  });

  it("proposes nothing while an answer is due, nor under an outdated partition epoch", () => {
    const isr = proposing();
    expect(isr.canPropose).toBe(false);
    isr.answered({ kind: "refused", code: "INVALID_UPDATE_VERSION" });
    expect(isr.canPropose).toBe(false);
    isr.changed([B1, B2], 5);
    expect(isr.canPropose).toBe(true);
  });

  it("goes on counting a given-up proposal until a newer partition epoch is known", () => {
    const isr = proposing();
    isr.giveUp();
    isr.propose([B1]);
    expect(isr.answered({ kind: "refused", code: "INELIGIBLE_REPLICA" })).toBe(false);
    expect(isr.maximal).toEqual([B1, B2, B3]);
    isr.changed([B1, B2], 5);
    expect(isr.maximal).toEqual([B1, B2]);
  });

  it("goes on counting a proposal when an answer brings nothing new", () => {
    const isr = proposing();
    expect(isr.answered({ kind: "committed", isr: [B1, B2], partitionEpoch: 4 })).toBe(false);
    expect(isr.maximal).toEqual([B1, B2, B3]);
    isr.propose([B1, B2]);
    expect(isr.maximal).toEqual([B1, B2, B3]);
  });

  it("ignores older states", () => {
    const isr = proposing();
    expect(isr.changed([B1], 3)).toBe(false);
    expect(isr.committed).toEqual([B1, B2]);
  });
});
