import { describe, expect, it } from "vitest";
import { chartOf } from "./throughput-chart.mjs";

const RESULT = {
  verdict: "held",
  target: "processes",
  seed: 5,
  writtenSeconds: 4,
  records: { acknowledged: 1_200, lost: 0, duplicated: 0, reordered: 0 },
  faults: {
    count: 2,
    list: [
      { number: 1, kind: "kill-leader", atSeconds: 1, brokers: [2] },
      { number: 2, kind: "pause-random", atSeconds: 2, brokers: [3] },
    ],
  },
  absences: [
    { broker: 2, state: "down", fromSeconds: 1, toSeconds: 1.5 },
    { broker: 3, state: "paused", fromSeconds: 2, toSeconds: 3 },
  ],
  acknowledgedPerSecond: [500, 200, 0, 500],
};

describe("throughput chart", () => {
  it("marks every kill, and draws every pause as a band", () => {
    const chart = chartOf(RESULT);
    expect(chart).toContain("fault 1: kill-leader, 1 s");
    expect(chart).not.toContain("fault 2");
    expect(chart.match(/opacity="0.3"/g)).toHaveLength(1);
    expect(chart).toContain("1,200 acknowledged, 0 lost, 0 duplicated, 0 reordered");
  });

  it("names its axes with their units", () => {
    const chart = chartOf(RESULT);
    expect(chart).toContain(">records/s<");
    expect(chart).toContain("minutes:seconds");
  });

  it("draws a run that never wrote", () => {
    const empty = { ...RESULT, writtenSeconds: 0, acknowledgedPerSecond: [], absences: [] };
    const chart = chartOf({ ...empty, faults: { count: 0, list: [] } });
    expect(chart).not.toContain("NaN");
  });
});
