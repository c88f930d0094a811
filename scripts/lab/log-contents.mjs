/** What a topic holds, read to its end; and whether that is what a writer was promised. */
import { within } from "./waiting.mjs";
import { numberOf } from "./writer.mjs";

/** Reads every partition from its start to its end. Records in the order of each partition. */
export async function readTopic(client, topic, partitions, timeoutMs = 60_000) {
  const consumer = client.consumer({ stopAtEnd: true });
  const records = [];
  const read = async () => {
    await consumer.assign(partitions.map((partition) => ({ topic, partition, start: "earliest" })));
    for await (const batch of consumer.batches()) {
      for (const { partition, offset, value } of batch.records) {
        records.push({ partition, offset, number: numberOf(value) });
      }
    }
  };
  try {
    await within(timeoutMs, `reading ${topic}`, read());
  } finally {
    await consumer.close();
  }
  return records;
}

/** Sentences on everything that breaks the promise; each kind with how often and one example. */
export function brokenPromises(records, writer) {
  const seen = new Map();
  const problems = new Map();
  const add = (kind, example) => {
    const known = problems.get(kind);
    if (known === undefined) problems.set(kind, { count: 1, example });
    else known.count += 1;
  };
  const last = new Map();
  for (const record of records) {
    const { number, partition, offset } = record;
    const before = last.get(partition);
    if (before !== undefined && offset !== before.offset + 1) {
      add("gaps between offsets", `${offset} after ${before.offset} in partition ${partition}`);
    }
    if (before !== undefined && number < before.number) {
      add("records out of order", `${number} after ${before.number} in partition ${partition}`);
    }
    if (seen.has(number))
      add("duplicated records", `${number} at ${at(seen.get(number))}, ${at(record)}`);
    seen.set(number, record);
    last.set(partition, record);
  }
  for (const entry of writer.acknowledged) {
    const found = seen.get(entry.number);
    if (found === undefined) add("acknowledged records lost", `${entry.number} at ${at(entry)}`);
    else if (found.offset !== entry.offset || found.partition !== entry.partition) {
      add("records elsewhere than told", `${entry.number} at ${at(found)}, not ${at(entry)}`);
    }
  }
  const settled = new Set([...writer.acknowledged, ...writer.failed].map((entry) => entry.number));
  for (const number of seen.keys()) if (!settled.has(number)) add("unknown records", `${number}`);
  return [...problems].map(
    ([kind, { count, example }]) => `${count} ${kind}, for example ${example}`,
  );
}

function at({ partition, offset }) {
  return `${partition}/${offset}`;
}
