/**
 * What the examples send, what they print, and whether that fits: every acknowledged record must be
 * where its producer was told, byte for byte, for every consumer.
 */

/** The record that every example makes of a number: key, value and headers as base64, or null. */
export function expectedContent(source, number) {
  const base64 = (bytes) => Buffer.from(bytes).toString("base64");
  const big = Buffer.alloc(4);
  big.writeUInt32BE(number);
  return JSON.stringify([
    number % 10 === 9 ? null : base64(`user-${number % 10}`),
    number % 25 === 24 ? null : number % 25 === 12 ? "" : base64(`record ${number} ✓`),
    [
      ["source", base64(source)],
      ["number", base64(big)],
      ["note", null],
    ],
  ]);
}

/** By number: the place that a producer's output names, as "partition/offset". */
export function acknowledgedIn(output) {
  const acknowledged = new Map();
  for (const line of linesOf(output)) {
    const found = /^record (\d+) -> partition (\d+) offset (\d+)$/.exec(line);
    if (found === null) throw new Error(`a producer printed ${JSON.stringify(line)}`);
    const number = Number(found[1]);
    if (acknowledged.has(number)) throw new Error(`record ${number} was acknowledged twice`);
    acknowledged.set(number, `${found[2]}/${found[3]}`);
  }
  return acknowledged;
}

/** By place: the content that a consumer's output shows, in protobuf's JSON mapping. */
export function consumedIn(output) {
  const consumed = new Map();
  const nextOffsets = new Map();
  for (const line of linesOf(output)) {
    // The mapping leaves out what is 0 or an empty list.
    const {
      partition = 0,
      offset = "0",
      key = null,
      value = null,
      headers = [],
    } = JSON.parse(line);
    const expected = nextOffsets.get(partition) ?? 0;
    if (Number(offset) !== expected) {
      throw new Error(`partition ${partition}: offset ${offset} came instead of ${expected}`);
    }
    nextOffsets.set(partition, expected + 1);
    const pairs = headers.map((header) => [header.key, header.value ?? null]);
    consumed.set(`${partition}/${offset}`, JSON.stringify([key, value, pairs]));
  }
  return consumed;
}

/**
 * Why a consumer's records are not those of the producer `source`, or undefined; and how many
 * records are there beyond the acknowledged ones, each of which must be one of those sent.
 */
export function comparison({ source, count, acknowledged, consumed }) {
  const numbers = new Map();
  for (let number = 0; number < count; number += 1) {
    const place = acknowledged.get(number);
    if (place === undefined) return { problem: `record ${number} was not acknowledged` };
    const expected = expectedContent(source, number);
    numbers.set(expected, number);
    const found = consumed.get(place);
    if (found !== expected) {
      return { problem: `record ${number} at ${place} should be ${expected} and is ${found}` };
    }
  }
  for (const [place, content] of consumed) {
    if (!numbers.has(content)) return { problem: `nobody sent what is at ${place}: ${content}` };
  }
  return { problem: undefined, duplicates: consumed.size - acknowledged.size };
}

/** Why a producer that keeps order did not, or undefined: older records have lower offsets. */
export function disorder(acknowledged) {
  const last = new Map();
  for (const [number, place] of [...acknowledged].sort(([a], [b]) => a - b)) {
    const [partition, offset] = place.split("/").map(Number);
    const before = last.get(partition);
    if (before !== undefined && before.offset > offset) {
      return `record ${number} is at ${place}, before record ${before.number}`;
    }
    last.set(partition, { number, offset });
  }
  return undefined;
}

function linesOf(output) {
  const text = output.toString();
  return text === "" ? [] : text.trimEnd().split("\n");
}
