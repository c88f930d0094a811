/** Compares what was consumed with the file that was produced, byte by byte. */

/** What `consume` must print for the file: each of its lines, each with an end. */
export function expectedOutput(bytes) {
  const isEnded = bytes.length === 0 || bytes[bytes.length - 1] === 10;
  return isEnded ? bytes : Buffer.concat([bytes, Buffer.from("\n")]);
}

/** Undefined when equal; else a sentence on the first difference. */
export function byteDifference(expected, actual) {
  if (expected.equals(actual)) return undefined;
  let at = 0;
  while (at < expected.length && at < actual.length && expected[at] === actual[at]) at += 1;
  const line = lineNumberAt(expected, at);
  return (
    `${actual.length} bytes instead of ${expected.length}; first difference at byte ${at} ` +
    `(line ${line}): expected ${excerpt(expected, at)}, got ${excerpt(actual, at)}`
  );
}

/** The lines of a file, each under a key that follows from its bytes, and as input to produce. */
export class KeyedLines {
  /** Lines `<key>\t<line>`. */
  input;
  count;
  #byKey = new Map();

  constructor(bytes) {
    const lines = linesOf(bytes);
    this.count = lines.length;
    this.input = Buffer.concat(
      lines.map((line) => {
        const key = `key-${checksum(line) % 41}`;
        listAt(this.#byKey, key).push(line);
        return Buffer.concat([Buffer.from(`${key}\t`), line, Buffer.from("\n")]);
      }),
    );
  }

  /**
   * Undefined when `output`, printed as "%p\t%o\t%k\t%v\n", holds every line once, those of a key
   * in one partition and in order, at offsets without gaps.
   */
  difference(output) {
    const records = linesOf(output).map(parseRecord);
    if (records.length !== this.count) {
      return `${records.length} records instead of ${this.count}`;
    }
    const byKey = new Map();
    const partitionOf = new Map();
    const offsets = new Map();
    for (const { partition, offset, key, value } of records) {
      const expected = offsets.get(partition) ?? 0;
      if (offset !== expected) return `offset ${offset} instead of ${expected} in ${partition}`;
      offsets.set(partition, offset + 1);
      if ((partitionOf.get(key) ?? partition) !== partition) return `${key} is in two partitions`;
      partitionOf.set(key, partition);
      listAt(byKey, key).push(value);
    }
    for (const [key, lines] of this.#byKey) {
      const got = byKey.get(key) ?? [];
      if (got.length !== lines.length) {
        return `${key} has ${got.length} records instead of ${lines.length}`;
      }
      const wrong = lines.findIndex((line, at) => !line.equals(got[at]));
      if (wrong >= 0) {
        return `record ${wrong} of ${key} is ${excerpt(got[wrong], 0)}, not ${excerpt(lines[wrong], 0)}`;
      }
    }
    return undefined;
  }
}

function linesOf(bytes) {
  const lines = [];
  let from = 0;
  while (from < bytes.length) {
    const at = bytes.indexOf(10, from);
    const to = at < 0 ? bytes.length : at;
    lines.push(bytes.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

function parseRecord(line) {
  const first = line.indexOf(9);
  const second = line.indexOf(9, first + 1);
  const third = line.indexOf(9, second + 1);
  return {
    partition: Number(line.subarray(0, first)),
    offset: Number(line.subarray(first + 1, second)),
    key: line.subarray(second + 1, third).toString("latin1"),
    value: line.subarray(third + 1),
  };
}

function listAt(map, key) {
  let list = map.get(key);
  if (list === undefined) {
    list = [];
    map.set(key, list);
  }
  return list;
}

/** FNV-1a, 32 bits. */
function checksum(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

function lineNumberAt(bytes, position) {
  let line = 1;
  for (let at = 0; at < position; at += 1) if (bytes[at] === 10) line += 1;
  return line;
}

function excerpt(bytes, at) {
  if (at >= bytes.length) return "the end";
  return JSON.stringify(bytes.subarray(at, at + 60).toString("latin1"));
}
