import { describe, expect, it } from "vitest";
import { Availability } from "./availability.mjs";

const STARTED_MS = 1_000;

describe("availability", () => {
  it("counts acknowledged records by second since the start", () => {
    const availability = new Availability(1, STARTED_MS);
    for (const atMs of [1_000, 1_999, 3_500]) availability.acknowledged(0, atMs, atMs);
    expect(availability.perSecond).toEqual([2, 0, 1]);
  });

  it("tells the longest silence of the cluster and of each partition", () => {
    const availability = new Availability(2, STARTED_MS);
    availability.acknowledged(0, 1_500, 1_500);
    availability.acknowledged(1, 2_500, 2_500);
    availability.acknowledged(0, 2_600, 2_600);
    availability.finish(3_000);
    const { cluster, partitions } = availability.longest();
    expect(cluster).toMatchObject({ ms: 1_000, atMs: 500 });
    expect(partitions.map(({ ms }) => ms)).toEqual([1_100, 1_500]);
  });

  it("excuses a silence while no majority runs", () => {
    const availability = new Availability(1, STARTED_MS);
    availability.setMajority(false, 1_200);
    expect(availability.stalled(60_000)).toEqual({ partition: 0, ms: 0 });
    availability.setMajority(true, 60_000);
    expect(availability.stalled(60_700)).toEqual({ partition: 0, ms: 700 });
    availability.acknowledged(0, 60_700, 60_900);
    expect(availability.longest().cluster).toMatchObject({ ms: 59_900, withMajorityMs: 900 });
    expect(availability.waits).toEqual([{ what: "majority", partition: 0, waitedMs: 900 }]);
  });

  it("asks nobody to answer a kill once the majority is gone", () => {
    const availability = new Availability(1, STARTED_MS);
    availability.awaitWrite({ what: "kill", fault: 1, partition: 0, fromMs: 1_100 });
    availability.setMajority(false, 1_200);
    availability.acknowledged(0, 1_150, 1_250);
    expect(availability.waits).toEqual([]);
  });

  it("notes nothing after the end of the writing", () => {
    const availability = new Availability(1, STARTED_MS);
    availability.finish(2_000);
    availability.setMajority(false, 3_000);
    availability.setMajority(true, 4_000);
    availability.acknowledged(0, 1_900, 9_000);
    expect(availability.longest().cluster).toMatchObject({ ms: 1_000, withMajorityMs: 1_000 });
    expect(availability.perSecond).toEqual([]);
  });

  it("names the partition that has waited longest", () => {
    const availability = new Availability(2, STARTED_MS);
    availability.acknowledged(0, 5_000, 5_000);
    expect(availability.stalled(6_000)).toEqual({ partition: 1, ms: 5_000 });
  });

  it("measures from a kill to a write that was sent after the end of the killed", () => {
    const availability = new Availability(2, STARTED_MS);
    availability.awaitWrite({
      what: "kill",
      fault: 1,
      partition: 1,
      fromMs: 2_000,
      sinceMs: 2_010,
    });
    availability.acknowledged(0, 2_020, 2_030);
    availability.acknowledged(1, 1_990, 2_040);
    expect(availability.waits).toEqual([]);
    availability.acknowledged(1, 2_020, 2_300);
    availability.acknowledged(1, 2_021, 2_301);
    expect(availability.waits).toEqual([{ what: "kill", fault: 1, partition: 1, waitedMs: 300 }]);
    expect(availability.pending).toEqual([]);
  });
});
