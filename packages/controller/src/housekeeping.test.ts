import { emptyImage, type MetadataCommand, type MetadataImage } from "@strandline/metadata";
import { describe, expect, it } from "vitest";
import { Housekeeping } from "./housekeeping.js";

/** An image with one partition, which is reassigned or not. */
function image(isReassigned: boolean): MetadataImage {
  const partition = { replicas: [1, 2], adding: isReassigned ? [2] : [], removing: [] };
  const topic = { id: "t", name: "t", partitions: [partition] };
  return { ...emptyImage(), topics: new Map([["t", topic]]) } as unknown as MetadataImage;
}

function active(now: MetadataImage) {
  const commands: MetadataCommand["kind"][] = [];
  const owner = { image: () => now, submit: ({ kind }: MetadataCommand) => commands.push(kind) };
  const housekeeping = new Housekeeping(owner);
  housekeeping.activated(0);
  return { housekeeping, commands, owner };
}

describe(Housekeeping, () => {
  it("looks at the reassignments of each image once, and again when it becomes active", () => {
    const { housekeeping, commands, owner } = active(image(true));
    housekeeping.tick(50);
    housekeeping.tick(100);
    expect(commands).toEqual(["complete-reassignments"]);
    owner.image = () => image(true);
    housekeeping.tick(150);
    expect(commands).toHaveLength(2);
    const last = image(true);
    owner.image = () => last;
    housekeeping.tick(200);
    housekeeping.activated(250);
    housekeeping.tick(250);
    expect(commands).toHaveLength(4);
  });

  it("asks for nothing where nothing is reassigned, but to rebalance now and then", () => {
    const { housekeeping, commands } = active(image(false));
    for (let nowMs = 0; nowMs <= 600_000; nowMs += 10_000) housekeeping.tick(nowMs);
    expect(commands).toEqual(["rebalance-leaders", "rebalance-leaders"]);
  });
});
