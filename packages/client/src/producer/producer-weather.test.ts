import { describe, expect, it } from "vitest";
import { ClientError } from "../errors.js";
import { FakeWorld } from "../testing/fake-world.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { Weather } from "../testing/weather.js";
import type { SendResult } from "./producer-record.js";

const SEEDS = Number(process.env["STRANDLINE_CLIENT_SEEDS"] ?? 60);
const FIRST_SEED = Number(process.env["STRANDLINE_CLIENT_FIRST_SEED"] ?? 1);
const PARTITIONS = 3;

interface Sent {
  readonly value: string;
  readonly partition: number;
  result: SendResult | Error | undefined;
}

/** Sends through bad weather until it clears; returns what was told of each record. */
async function run(world: FakeWorld, seed: number): Promise<readonly Sent[]> {
  const random = new SeededRandom(seed * 7919);
  const weather = new Weather(world, seed);
  const producer = world.client({ topicWaitMs: 60_000 }).producer({
    lingerMs: random.below(3) * 5,
    inFlightMax: 1 + random.below(5),
    batchBytesMax: 200 + random.below(800),
    bufferBytesMax: 20_000,
    deliveryTimeoutMs: random.chance(0.5) ? 120_000 : 3_000,
    requestTimeoutMs: 1_000,
  });
  const sent: Sent[] = [];
  for (let at = 0; at < 400; at++) {
    const partition = random.below(PARTITIONS);
    const one: Sent = { value: `${at}`, partition, result: undefined };
    sent.push(one);
    producer.send({ topic: "t", partition, value: one.value }).then(
      (result) => {
        one.result = result;
      },
      (error: unknown) => {
        one.result = error as Error;
      },
    );
    if (random.chance(0.2)) await world.time.advance(random.below(100));
  }
  await world.time.advance(2_000);
  weather.clear();
  await world.time.until(producer.close());
  // Ghosts of requests may still come.
  await world.time.advance(5_000);
  return sent;
}

function findings(world: FakeWorld, sent: readonly Sent[]): readonly string[] {
  const problems: string[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const log = world.cluster.partition("t", partition).texts();
    const places = new Map<string, number[]>();
    for (const { value, offset } of log) {
      places.set(value ?? "", [...(places.get(value ?? "") ?? []), offset]);
    }
    let last = -1;
    for (const { value, result } of sent.filter((each) => each.partition === partition)) {
      const offsets = places.get(value) ?? [];
      if (offsets.length > 1) problems.push(`${value} is stored at ${offsets.join(" and ")}`);
      if (result === undefined) problems.push(`nobody was told of ${value}`);
      else if (result instanceof Error) {
        const isDenied = result instanceof ClientError && !result.mayBeStored;
        if (isDenied && offsets.length > 0) problems.push(`${value} is stored, but was denied`);
      } else {
        if (offsets[0] !== result.offset) {
          problems.push(`${value} was said to be at ${result.offset}, but is at ${offsets[0]}`);
        }
        if (result.offset <= last) problems.push(`${value} at ${result.offset} came after ${last}`);
        last = result.offset;
      }
    }
  }
  return problems;
}

describe("a producer in bad weather", () => {
  it("has every acknowledged record stored once, in order, where it said", async () => {
    let acknowledged = 0;
    let failed = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const world = new FakeWorld({ seed });
      world.cluster.createTopic("t", PARTITIONS);
      world.cluster.keepsProduced = false;
      const sent = await run(world, seed);
      const problems = findings(world, sent);
      expect(problems, `STRANDLINE_CLIENT_FIRST_SEED=${seed}`).toEqual([]);
      expect(world.time.pendingCount).toBe(0);
      acknowledged += sent.filter((each) => !(each.result instanceof Error)).length;
      failed += sent.filter((each) => each.result instanceof Error).length;
    }
    // Both kinds must be there, or the weather was not what it is meant to be.
    expect(acknowledged).toBeGreaterThan(failed);
    expect(failed).toBeGreaterThan(0);
  }, 600_000);
});
