/** Sends records to a topic and prints where each was stored. */
import { connect, type ProducerRecord } from "@strandline/client";
import { fail, readArguments } from "./command-line.ts";

const { brokers, topic, count } = readArguments();

// One address that answers is enough: it tells of the others.
const client = connect({ bootstrap: brokers });
try {
  // Idempotent and acks=all unless told otherwise: a retry after a lost answer, or after the leader
  // was killed, is not stored twice, and records with one key stay in order.
  const producer = client.producer();
  const sending = Array.from({ length: count }, async (_, number) => {
    const { partition, offset } = await producer.send(recordOf(number));
    console.log(`record ${number} -> partition ${partition} offset ${offset}`);
  });
  // Settled, so that those that were stored are printed although another one failed.
  const outcomes = await Promise.allSettled(sending);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
} catch (error) {
  fail(error);
} finally {
  await client.close();
}

/** Every tenth without key; some values null (which deletes on a compacted topic), some empty. */
function recordOf(number: number): ProducerRecord {
  const big = Buffer.alloc(4);
  big.writeUInt32BE(number);
  return {
    topic,
    key: number % 10 === 9 ? null : `user-${number % 10}`,
    value: number % 25 === 24 ? null : number % 25 === 12 ? "" : `record ${number} ✓`,
    headers: { source: "typescript-client", number: big, note: null },
  };
}
