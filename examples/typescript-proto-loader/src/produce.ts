/** Streams records to a topic and prints where each was stored. */
import { Failure, onAnyBroker, run } from "./any-broker.ts";
import { readArguments } from "./arguments.ts";
import {
  logClient,
  type ProduceRequest,
  type ProduceResponse,
  type Record,
  type Refusal,
} from "./protos.ts";

/** One request is one batch per partition on disk: a few records or a few thousand, as you like. */
const RECORDS_PER_REQUEST = 20;
const REQUESTS_UNDER_WAY = 16;

const { brokers, topic, count } = readArguments();

/** What is not acknowledged, by number. */
const pending = new Map<number, Record>();
for (let number = 0; number < count; number += 1) pending.set(number, recordOf(number));

// Plain records are stored at least once: when a connection breaks before the answer, nobody knows
// whether they were stored, and sending them again may store them twice, behind younger ones. What
// is under way bounds how many. Whoever needs exactly once sends encoded batches with sequence
// numbers, as @strandline/client does.
await run(async () => {
  await onAnyBroker(brokers, sendPending);
});

/** One stream with everything pending; throws while some of it was not stored. */
async function sendPending(address: string, progress: () => void): Promise<void> {
  const client = logClient(address);
  try {
    const chunks = chunksOf([...pending.keys()]);
    const stream = client.produceStream();
    let answered = 0;
    let sent = 0;
    const sendMore = (): void => {
      for (; sent < Math.min(answered + REQUESTS_UNDER_WAY, chunks.length); sent += 1) {
        stream.write(requestOf(sent, chunks[sent] ?? []));
      }
      if (answered === chunks.length) stream.end();
    };
    sendMore();
    let refusal: Refusal = { code: "UNAVAILABLE", message: "it ended early", retriable: true };
    for await (const response of stream as AsyncIterable<ProduceResponse>) {
      const before = pending.size;
      // Answers may come in another order than the requests: the correlation id tells them apart.
      refusal = settle(chunks[response.correlationId] ?? [], response) ?? refusal;
      if (pending.size < before) progress();
      answered += 1;
      sendMore();
    }
    if (pending.size > 0) throw new Failure(refusal);
  } finally {
    client.close();
  }
}

function chunksOf(numbers: readonly number[]): (readonly number[])[] {
  const chunks: (readonly number[])[] = [];
  for (let at = 0; at < numbers.length; at += RECORDS_PER_REQUEST) {
    chunks.push(numbers.slice(at, at + RECORDS_PER_REQUEST));
  }
  return chunks;
}

function requestOf(correlationId: number, numbers: readonly number[]): ProduceRequest {
  // No partition: the broker takes the one that each key chooses.
  return { correlationId, topic, records: numbers.map((number) => pending.get(number) as Record) };
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
