import { INT32_MAX } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { isProducerSnapshot, type ProducerBatch, ProducerStates } from "./producer-states.js";

function batch(baseSequence: number, fields: Partial<ProducerBatch> = {}): ProducerBatch {
  const lastSequence = baseSequence;
  return { producerId: 7, producerEpoch: 0, baseSequence, lastSequence, crc: 99, ...fields };
}

/** Producer 7 wrote sequences 0 to `count` - 1, one a batch, at the same offsets. */
function afterBatches(count: number): ProducerStates {
  const states = new ProducerStates();
  for (let at = 0; at < count; at += 1) {
    states.observe({ ...batch(at), baseOffset: at, lastOffset: at, timestampMs: at });
  }
  return states;
}

function refusalOf(states: ProducerStates, candidate: ProducerBatch): string | undefined {
  const verdict = states.check(candidate);
  return verdict.kind === "refused" ? verdict.refusal.code : verdict.kind;
}

describe(ProducerStates, () => {
  it("takes any first sequence of a producer it does not know, and of one without an id", () => {
    expect(refusalOf(new ProducerStates(), batch(41))).toBe("append");
    expect(refusalOf(afterBatches(3), batch(-1, { producerId: -1 }))).toBe("append");
  });

  it("takes the next sequence only", () => {
    expect(refusalOf(afterBatches(3), batch(3))).toBe("append");
    expect(refusalOf(afterBatches(3), batch(4))).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
  });

  it("answers a retry of the last five batches with its first result", () => {
    const states = afterBatches(7);
    const first = { kind: "duplicate", baseOffset: 2, lastOffset: 2, timestampMs: 2 };
    expect(states.check(batch(2))).toEqual(first);
    expect(refusalOf(states, batch(1))).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
  });

  it("does not take other records under a used sequence for a retry", () => {
    expect(refusalOf(afterBatches(3), batch(2, { crc: 1 }))).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(refusalOf(afterBatches(3), batch(2, { crc: undefined }))).toBe("duplicate");
  });

  it("refuses an older producer epoch, and lets a newer one begin at 0", () => {
    const states = new ProducerStates();
    const old = { ...batch(5, { producerEpoch: 3 }), baseOffset: 0, lastOffset: 0, timestampMs: 0 };
    states.observe(old);
    expect(refusalOf(states, batch(6, { producerEpoch: 2 }))).toBe("INVALID_PRODUCER_EPOCH");
    expect(refusalOf(states, batch(0, { producerEpoch: 4 }))).toBe("append");
    expect(refusalOf(states, batch(6, { producerEpoch: 4 }))).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
  });

  it("goes on at 0 after the largest sequence", () => {
    const states = new ProducerStates();
    const last = { ...batch(INT32_MAX), baseOffset: 0, lastOffset: 0, timestampMs: 0 };
    states.observe(last);
    expect(refusalOf(states, batch(0))).toBe("append");
  });

  it("forgets who was idle too long, and beyond a count the longest idle", () => {
    const states = afterBatches(1);
    const other = { ...batch(0, { producerId: 8 }), baseOffset: 1, lastOffset: 1, timestampMs: 0 };
    states.observe(other);
    expect(states.expire(0, 100, 10)).toBe(0);
    states.observe({ ...other, baseSequence: 1, lastSequence: 1, baseOffset: 2, lastOffset: 2 });
    expect(states.expire(101, 100, 10)).toBe(1);
    expect(states.size).toBe(1);
    states.observe({ ...batch(0), baseOffset: 3, lastOffset: 3, timestampMs: 0 });
    expect(states.expire(102, 100, 1)).toBe(1);
    expect(refusalOf(states, batch(1))).toBe("append");
    expect(states.snapshot().producers.map(({ producerId }) => producerId)).toEqual([7]);
  });

  it("comes back from a snapshot that went through JSON", () => {
    const json: unknown = JSON.parse(JSON.stringify(afterBatches(7).snapshot()));
    if (!isProducerSnapshot(json)) throw new Error("the snapshot has lost its shape");
    const restored = ProducerStates.restore(json);
    expect(restored.snapshot()).toEqual(afterBatches(7).snapshot());
    expect(refusalOf(restored, batch(6))).toBe("duplicate");
  });

  it.each([null, 3, {}, { version: 2, producers: [] }, { version: 1, producers: [{}] }])(
    "does not take %j for a snapshot",
    (value) => {
      expect(isProducerSnapshot(value)).toBe(false);
    },
  );
});
