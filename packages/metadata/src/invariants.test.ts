/** Whatever is asked for, in whatever order: the metadata keeps its rules. */
import { BrokerError } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, decodeCommand, encodeCommand } from "./command.js";
import { diffImages, type MetadataDelta } from "./delta.js";
import { emptyImage } from "./image.js";
import { decodeImage, encodeImage } from "./image-codec.js";
import { MetadataError } from "./metadata-error.js";
import { decodeRecords, encodeRecords } from "./record-codec.js";
import { replay } from "./replay.js";
import { commandOf, LIVES, live, newborn } from "./testing/random-life.js";
import { brokenRules } from "./testing/rules.js";

describe("the metadata", () => {
  it("keeps its rules through any history", () => {
    fc.assert(
      fc.property(LIVES, (steps) => {
        const cluster = newborn();
        for (const step of steps) {
          const before = cluster.image;
          live(cluster, step);
          expect(brokenRules(before, cluster.image)).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("is the same image when it is encoded and decoded, and when its records are replayed", () => {
    fc.assert(
      fc.property(LIVES, (steps) => {
        const cluster = newborn();
        for (const step of steps) live(cluster, step);
        const { image, records } = cluster;
        const decoded = decodeImage(throughJson(encodeImage(image)));
        expect(decoded).toEqual(image);
        // Order as well: whoever iterates the decoded image sees what the other saw.
        expect(JSON.stringify(encodeImage(decoded))).toBe(JSON.stringify(encodeImage(image)));
        const again = decodeRecords(throughJson(encodeRecords(records)));
        expect(replay(emptyImage(), again, image.offset).image).toEqual(image);
      }),
      { numRuns: 100 },
    );
  });

  it("says of each step exactly what changed, as a comparison of both images does", () => {
    fc.assert(
      fc.property(LIVES, (steps) => {
        const cluster = newborn();
        for (const step of steps) {
          const before = cluster.image;
          live(cluster, step);
          const copy = decodeImage(throughJson(encodeImage(cluster.image)));
          expect(sorted(cluster.delta)).toEqual(sorted(diffImages(before, copy)));
        }
      }),
      { numRuns: 100 },
    );
  });

  it("is changed neither by deciding nor by what follows, and decides the same once more", () => {
    fc.assert(
      fc.property(LIVES, (steps) => {
        const cluster = newborn();
        for (const step of steps) {
          const command = commandOf(cluster, step);
          if (command === undefined) continue;
          const text = JSON.stringify(encodeImage(cluster.image));
          const decision = decide(cluster.image, command);
          expect(JSON.stringify(encodeImage(cluster.image))).toBe(text);
          expect(decide(decodeImage(JSON.parse(text)), command)).toEqual(decision);
          expect(decodeCommand(throughJson(encodeCommand(command)))).toEqual(command);
          const before = cluster.image;
          cluster.tryTo(command);
          expect(JSON.stringify(encodeImage(before))).toBe(text);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("JSON from outside", () => {
  it("is refused in the decoders' own words when it is anything at all", () => {
    fc.assert(fc.property(fc.jsonValue(), expectOwnWords), { numRuns: 500 });
  });

  it("is refused in their own words when one value of something legal is another", () => {
    const cluster = newborn();
    for (const step of fc.sample(LIVES, { numRuns: 20, seed: 1 }).flat()) live(cluster, step);
    const commands = fc
      .sample(LIVES, { numRuns: 20, seed: 2 })
      .flat()
      .flatMap((step) => commandOf(cluster, step) ?? []);
    const legal = [encodeImage(cluster.image), encodeRecords(cluster.records), ...commands];
    fc.assert(
      fc.property(
        fc.constantFrom(...legal.map((value) => JSON.stringify(value))),
        fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
        fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 1e300, 0.5, 2 ** 53, "__proto__")),
        (text, path, value) => {
          const json: unknown = JSON.parse(text);
          replaceAt(json, path, value);
          expectOwnWords(json);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function expectOwnWords(json: unknown): void {
  for (const decode of [decodeCommand, decodeRecords, decodeImage]) {
    try {
      decode(json);
    } catch (error) {
      if (!(error instanceof BrokerError) && !(error instanceof MetadataError)) throw error;
    }
  }
}

/** Follows `path` into the value, as far as it goes, and puts `value` there. */
function replaceAt(json: unknown, path: readonly number[], value: unknown): void {
  let place = json as Record<string, unknown>;
  for (const [at, choice] of path.entries()) {
    const names = Object.keys(place);
    const name = names[choice % Math.max(1, names.length)];
    if (name === undefined) return;
    const next = place[name];
    if (at === path.length - 1 || typeof next !== "object" || next === null) {
      place[name] = value;
      return;
    }
    place = next as Record<string, unknown>;
  }
}

function sorted(delta: MetadataDelta | undefined): unknown {
  const by = (key: unknown): string => JSON.stringify(key);
  return {
    partitions: [...(delta?.partitions ?? [])].sort((a, b) => (by(a) < by(b) ? -1 : 1)),
    topics: [...(delta?.topics ?? [])].sort((a, b) => (by(a) < by(b) ? -1 : 1)),
    nodes: [...(delta?.nodes ?? [])].sort((a, b) => a.id - b.id),
    configs: [...(delta?.configs ?? [])].sort(),
  };
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
