/** What happens to good bytes on their way to a fuzz target. Never changes what it is given. */

/** Lengths and counts that lie: of 8, 16, 32 and 64 bits, and variable ones. */
const LIES = [
  "ff",
  "80",
  "fffe",
  "7fff",
  "8000",
  "7fffffff",
  "80000000",
  "ffffffff",
  "fffffffe",
  "0000ffff",
  "00010000",
  "ffffffff0f",
  "ffffffff07",
  "ffffffffff",
  "8080808000",
  "7fffffffffffffff",
  "8000000000000000",
  "ffffffffffffffff",
  "ffffffffffffffffff01",
].map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
/** What a swollen frame may have: large enough for lists that hurt, small enough for millions. */
const SWOLLEN_BYTES_MAX = 24 * 1024;
const STEPS_MAX = 5;

/** `other` gives another good frame. The first `kept` bytes mostly stay as they are. */
export function mutated(bytes, random, { kept = 0, other }) {
  let result = bytes;
  for (let steps = 1 + random.below(STEPS_MAX); steps > 0; steps -= 1) {
    const from = random.below(16) === 0 ? 0 : Math.min(kept, result.length);
    result = STEPS[random.below(STEPS.length)](result, random, from, other);
  }
  return result;
}

const STEPS = [
  flipBit,
  flipBit,
  setByte,
  setSmall,
  lie,
  lie,
  lie,
  cut,
  repeat,
  remove,
  noise,
  splice,
  swell,
];

function place(bytes, random, from) {
  return from + random.below(Math.max(1, bytes.length - from));
}

function flipBit(bytes, random, from) {
  const at = place(bytes, random, from);
  return written(bytes, at, [(bytes[at] ?? 0) ^ (1 << random.below(8))]);
}

function setByte(bytes, random, from) {
  return written(bytes, place(bytes, random, from), [random.below(256)]);
}

function setSmall(bytes, random, from) {
  return written(bytes, place(bytes, random, from), [random.below(5)]);
}

function lie(bytes, random, from) {
  return written(bytes, place(bytes, random, from), LIES[random.below(LIES.length)]);
}

function cut(bytes, random, from) {
  return bytes.subarray(0, place(bytes, random, from));
}

function repeat(bytes, random, from) {
  const at = place(bytes, random, from);
  return joined(bytes.subarray(0, at), bytes.subarray(Math.max(from, at - random.below(40))));
}

function remove(bytes, random, from) {
  const at = place(bytes, random, from);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8)));
}

function noise(bytes, random, from) {
  const at = place(bytes, random, from);
  const result = bytes.slice();
  const end = Math.min(result.length, at + 1 + random.below(24));
  for (let index = at; index < end; index += 1) result[index] = random.below(256);
  return result;
}

function splice(bytes, random, from, other) {
  const tail = other(random);
  return joined(
    bytes.subarray(0, place(bytes, random, from)),
    tail.subarray(place(tail, random, 0)),
  );
}

/** One stretch over and over, behind a count that says so: many elements that are really there. */
function swell(bytes, random, from) {
  if (random.below(8) > 0) return bytes;
  const at = place(bytes, random, from);
  const stretch = bytes.subarray(at, at + 1 + random.below(12));
  if (stretch.length === 0) return bytes;
  const count = Math.floor(random.logarithmic(2, SWOLLEN_BYTES_MAX / stretch.length));
  const many = new Uint8Array(count * stretch.length);
  for (let index = 0; index < count; index += 1) many.set(stretch, index * stretch.length);
  const prefix = random.below(2) === 0 ? int32Bytes(count) : uvarintBytes(count + 1);
  return joined(bytes.subarray(0, at), prefix, many, bytes.subarray(at));
}

function written(bytes, at, values) {
  const result = bytes.slice();
  for (let index = 0; index < values.length && at + index < result.length; index += 1) {
    result[at + index] = values[index];
  }
  return result;
}

export function joined(...parts) {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

export function int32Bytes(value) {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function uvarintBytes(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
