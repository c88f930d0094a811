/** Streams records to a topic and prints where each was stored. */
import { once } from "node:events";
import { Failure, onAnyBroker, run } from "./any-broker.ts";
import { readArguments } from "./arguments.ts";
import { logClient, type ProduceResponse, type Record, type Refusal } from "./protos.ts";

/** One request is one batch per partition on disk: a few records or a few thousand, as you like. */
const RECORDS_PER_REQUEST = 20;

const { brokers, topic, count } = readArguments();

/** What is not acknowledged, by number. */
const pending = new Map<number, Record>();
for (let number = 0; number < count; number += 1) pending.set(number, recordOf(number));

// Plain records are stored at least once: when a connection breaks before the answer, nobody knows
// whether they were stored, and sending them again may store them twice, behind younger ones.
// Whoever needs exactly once sends encoded batches with sequence numbers, as @strandline/client does.
await run(async () => {
  await onAnyBroker(brokers, sendPending);
});

/** One stream with everything pending; throws while some of it was not stored. */
async function sendPending(address: string, progress: () => void): Promise<void> {
  const client = logClient(address);
  try {
    const stream = client.produceStream();
    const requests = requestsOf([...pending.keys()]);
    const writing = writeAll(stream, requests);
    // The reading below throws when the stream breaks, and tells why.
    writing.catch(() => undefined);
    let refusal: Refusal | undefined;
    for await (const response of stream as AsyncIterable<ProduceResponse>) {
      // Answers may come in another order than the requests: the correlation id tells them apart.
      const before = pending.size;
      refusal = settle(requests.get(response.correlationId) ?? [], response) ?? refusal;
      if (pending.size < before) progress();
    }
    await writing;
    if (refusal !== undefined) throw new Failure(refusal);
  } finally {
    client.close();
  }
}

function requestsOf(numbers: readonly number[]): Map<number, readonly number[]> {
  const requests = new Map<number, readonly number[]>();
  for (let at = 0; at < numbers.length; at += RECORDS_PER_REQUEST) {
    requests.set(requests.size, numbers.slice(at, at + RECORDS_PER_REQUEST));
  }
  return requests;
}

async function writeAll(
  stream: ReturnType<ReturnType<typeof logClient>["produceStream"]>,
  requests: ReadonlyMap<number, readonly number[]>,
): Promise<void> {
  for (const [correlationId, numbers] of requests) {
    const records = numbers.map((number) => pending.get(number) as Record);
    // No partition: the broker takes the one that each key chooses. Waits while the broker is busy.
    if (!stream.write({ correlationId, topic, records })) await once(stream, "drain");
  }
  stream.end();
}

/** Prints what was stored. Returns why the rest was not, which is yet to be sent again. */
function settle(numbers: readonly number[], response: ProduceResponse): Refusal | undefined {
  if (response.error !== null) return retriable(response.error);
  let refusal: Refusal | undefined;
  // The records of one request may go to several partitions, and some of those may fail.
  for (const [at, { partition, offset, error }] of response.positions.entries()) {
    const number = numbers[at] as number;
    if (error !== null) {
      refusal = retriable(error);
      continue;
    }
    pending.delete(number);
    console.log(`record ${number} -> partition ${partition} offset ${offset}`);
  }
  return refusal;
}

function retriable(error: Refusal): Refusal {
  if (error.retriable) return error;
  throw new Failure(error);
}

/** Every tenth without key; some values absent (which deletes on a compacted topic), some empty. */
function recordOf(number: number): Record {
  const big = Buffer.alloc(4);
  big.writeUInt32BE(number);
  return {
    ...(number % 10 === 9 ? {} : { key: Buffer.from(`user-${number % 10}`) }),
    ...(number % 25 === 24
      ? {}
      : { value: Buffer.from(number % 25 === 12 ? "" : `record ${number} ✓`) }),
    headers: [
      { key: "source", value: Buffer.from("typescript-proto-loader") },
      { key: "number", value: big },
      { key: "note" },
    ],
  };
}
