import { describe, expect, it } from "vitest";
import { groupPartition } from "./group-partition.js";

describe(groupPartition, () => {
  it("follows the hash that clients of the protocol compute", () => {
    // "".hashCode() = 0, "a" = 97, "group" = 98629247, "polygenelubricants" = -2147483648.
    expect(groupPartition("", 50)).toBe(0);
    expect(groupPartition("a", 50)).toBe(47);
    expect(groupPartition("group", 50)).toBe(47);
    expect(groupPartition("polygenelubricants", 50)).toBe(0);
  });

  it("takes a negative hash without its sign", () => {
    // "consumer-group".hashCode() wraps below zero.
    const partition = groupPartition("a-rather-long-name-of-a-consumer-group", 50);
    expect(partition).toBeGreaterThanOrEqual(0);
    expect(partition).toBeLessThan(50);
  });
});
