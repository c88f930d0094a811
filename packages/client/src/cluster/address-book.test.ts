import { describe, expect, it } from "vitest";
import { ManualTime } from "../testing/manual-time.js";
import { AddressBook } from "./address-book.js";

const BROKERS = new Map([
  [1, "a:1"],
  [2, "b:1"],
]);

describe(AddressBook, () => {
  it("tries the address that answered last first, then brokers, then the bootstrap list", () => {
    const book = new AddressBook(new ManualTime(), ["x:1", "b:1"]);
    expect(book.candidates()).toEqual(["x:1", "b:1"]);
    book.setBrokers(BROKERS);
    expect(book.candidates()).toEqual(["a:1", "b:1", "x:1"]);
    book.noteReachable("x:1");
    expect(book.candidates()).toEqual(["x:1", "a:1", "b:1"]);
    expect(book.addressOf(2)).toBe("b:1");
    expect(book.addressOf(3)).toBeUndefined();
  });

  it("takes those that answered badly last, and those that are unreachable after them", () => {
    const book = new AddressBook(new ManualTime(), ["x:1"]);
    book.setBrokers(BROKERS);
    book.passOver("a:1");
    expect(book.candidates()).toEqual(["b:1", "x:1", "a:1"]);
    book.noteUnreachable("b:1");
    expect(book.candidates()).toEqual(["x:1", "a:1", "b:1"]);
    book.passOver("x:1");
    expect(book.candidates()).toEqual(["a:1", "x:1", "b:1"]);
    book.noteReachable("b:1");
    expect(book.candidates()[0]).toBe("b:1");
  });

  it("leaves an unreachable address alone for a while that doubles", async () => {
    const time = new ManualTime();
    const book = new AddressBook(time, ["x:1"]);
    book.noteUnreachable("x:1");
    // The same outage, seen by another stream.
    book.noteUnreachable("x:1");
    expect([book.isUsable("x:1"), book.mayProbe("x:1")]).toEqual([false, false]);
    await time.advance(1_000);
    expect([book.isUsable("x:1"), book.mayProbe("x:1")]).toEqual([false, true]);
    book.noteUnreachable("x:1");
    await time.advance(1_500);
    expect(book.mayProbe("x:1")).toBe(false);
    await time.advance(500);
    expect(book.mayProbe("x:1")).toBe(true);
    book.noteReachable("x:1");
    expect(book.isUsable("x:1")).toBe(true);
  });
});
