/**
 * Messages of any API and version that can be encoded, out of its schema: mostly ordinary, now and
 * then with the values at which readers stumble.
 */

const INTEGERS = { int8: 7, int16: 15, int32: 31, int64: 53 };
const TEXTS = [
  "",
  "orders",
  "t",
  "group-1",
  "__consumer_offsets",
  "größe",
  "日本",
  "🎉",
  "a.b_c-d",
];
const EMPTY = { string: "", bytes: new Uint8Array(0) };
const ELEMENTS_MAX = 2_000;

/** One message of so many is made of long lists of next to nothing: the most memory for its bytes. */
const BARE_OF = 8;
const BARE_ELEMENTS_MAX = 12_000;

/** Every field of `fields` that `version` has. `batch` gives the bytes of a record batch. */
export function makeMessage(fields, version, random, batch) {
  const isBare = random.below(BARE_OF) === 0;
  return makeStruct(fields, { version, random, batch, isBare });
}

function makeStruct(fields, kind) {
  const { version, random } = kind;
  const message = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!includes(field.versions, version)) continue;
    // A tagged field that is left out is its default.
    if (field.tag !== undefined && random.below(2) === 0) continue;
    const isNull = includes(field.nullable, version) && random.below(4) === 0;
    message[name] = isNull ? null : makeValue(field.type, kind);
  }
  return message;
}

function makeValue(type, kind) {
  const { random } = kind;
  if (type.kind === "struct") return makeStruct(type.fields, kind);
  if (type.kind === "array") {
    const count = countOf(type.element, kind);
    return Array.from({ length: count }, () => makeValue(type.element, kind));
  }
  return kind.isBare && (type.name === "string" || type.name === "bytes")
    ? EMPTY[type.name]
    : makeScalar(type.name, random, kind.batch);
}

function countOf(element, { random, isBare }) {
  // Few structures of structures, or a message would be megabytes.
  const isFlat = element.kind === "scalar" || isLeaf(element.fields);
  if (isBare && isFlat) return Math.floor(random.logarithmic(1, BARE_ELEMENTS_MAX));
  if (random.below(isFlat ? 20 : 60) > 0) return random.below(4);
  return Math.floor(random.logarithmic(4, ELEMENTS_MAX));
}

function isLeaf(fields) {
  return Object.values(fields).every(({ type }) => type.kind === "scalar");
}

function makeScalar(name, random, batch) {
  switch (name) {
    case "bool":
      return random.below(2) === 1;
    case "uint16":
      return random.below(2) === 0 ? 9_092 : random.below(65_536);
    case "uuid":
      return makeUuid(random);
    case "string":
      return random.below(30) === 0
        ? "x".repeat(Math.floor(random.logarithmic(10, 5_000)))
        : TEXTS[random.below(TEXTS.length)];
    case "bytes":
      return makeBytes(Math.floor(random.logarithmic(1, 300)) - 1, random);
    case "records":
      return random.below(4) === 0 ? makeBytes(random.below(80), random) : batch(random);
    default:
      return makeInteger(INTEGERS[name], random);
  }
}

/** Signed, of `bits` bits besides the sign. */
function makeInteger(bits, random) {
  const end = 2 ** bits;
  switch (random.below(8)) {
    case 0:
      return end - 1;
    case 1:
      return bits === 53 ? 1 - end : -end;
    case 2:
      return -1;
    case 3:
      return random.below(end);
    default:
      return random.below(4);
  }
}

function makeUuid(random) {
  const bytes = random.below(4) === 0 ? new Uint8Array(16) : makeBytes(16, random);
  return Buffer.from(bytes).toString("base64url");
}

export function makeBytes(length, random) {
  return Uint8Array.from({ length }, () => random.below(256));
}

function includes({ from, to }, version) {
  return version >= from && version <= to;
}
