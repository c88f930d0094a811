import dns from "node:dns";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NameWatch } from "./name-watch.js";

const INTERVAL_MS = 10_000;
const ADDRESS = "10.0.0.1";

const lookup = vi.spyOn(dns.promises, "lookup");
const onElsewhere = vi.fn();

function watchOf(hostname: string): NameWatch {
  return new NameWatch(hostname, ADDRESS, { intervalMs: INTERVAL_MS, onElsewhere });
}

function leadTo(...addresses: string[]): void {
  lookup.mockResolvedValue(addresses.map((address) => ({ address, family: 4 })) as never);
}

beforeEach(() => {
  vi.useFakeTimers();
  lookup.mockReset();
  onElsewhere.mockReset();
});

afterEach(() => {
  vi.useRealTimers();
});

describe(NameWatch, () => {
  it("asks at once, and again after the interval while the address is one of the name's", async () => {
    leadTo("10.0.0.2", ADDRESS);
    watchOf("peer.test");
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(lookup).toHaveBeenCalledTimes(3);
    expect(onElsewhere).not.toHaveBeenCalled();
  });

  it("tells once that the name leads elsewhere, and asks no more", async () => {
    leadTo("10.0.0.2");
    watchOf("peer.test");
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(onElsewhere).toHaveBeenCalledTimes(1);
  });

  it("takes an unknown name for no answer, and asks again soon", async () => {
    lookup.mockRejectedValue(new Error("no such name"));
    watchOf("peer.test");
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(lookup.mock.calls.length).toBeGreaterThan(10);
    expect(onElsewhere).not.toHaveBeenCalled();
    leadTo("10.0.0.2");
    await vi.advanceTimersByTimeAsync(INTERVAL_MS / 10);
    expect(onElsewhere).toHaveBeenCalledTimes(1);
  });

  it("asks nothing about an address, and nothing once it was stopped", async () => {
    watchOf("10.0.0.2");
    watchOf("[::1]");
    leadTo("10.0.0.2");
    watchOf("peer.test").stop();
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(onElsewhere).not.toHaveBeenCalled();
  });
});
