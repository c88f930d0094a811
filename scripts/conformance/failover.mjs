/** An idempotent producer whose leader is killed: everything is there once, and in order. */
import assert from "node:assert/strict";
import { Lacking } from "../lab/lacking.mjs";
import { sleep } from "../lab/waiting.mjs";
import { freshName, need, numbered, numberIn } from "./test-records.mjs";

const RECORDS = 3_000;
const BURST = 20;
const KILL_AT = RECORDS / 3;
/** There are clients that dial who led before until it answers that it leads no more. */
const DOWN_MS = 5_000;

export async function idempotentThroughFailover(driver, { target }) {
  need(driver, "producer");
  if (driver.lacksIdempotence !== undefined) throw new Lacking(driver.lacksIdempotence);
  const topic = freshName("failover");
  await driver.createTopic(topic, { partitions: 1, replicas: 3 });
  const producer = await driver.producer({ isIdempotent: true });
  const kill = await target.leaderKill(topic, 0);
  let back;
  try {
    for (let from = 0; from < RECORDS; from += BURST) {
      const records = Array.from({ length: BURST }, (_, at) => numbered(from + at));
      const sent = producer.send(topic, 0, records);
      // A failure surfaces below: killing may fail too, and is told first then.
      sent.catch(() => undefined);
      // The request is on its way while the leader dies.
      if (from === KILL_AT - (KILL_AT % BURST)) {
        const bringBack = await kill();
        back = sleep(DOWN_MS).then(bringBack);
        // As with the send: awaited below.
        back.catch(() => undefined);
      }
      await sent;
    }
    const read = await driver.read(topic, 0, { from: 0, count: RECORDS });
    assert.deepEqual(
      read.map(numberIn),
      Array.from({ length: RECORDS }, (_, at) => at),
    );
    const { end } = (await driver.offsets?.(topic, 0)) ?? { end: RECORDS };
    assert.equal(end, RECORDS, "records were stored twice");
  } finally {
    await back;
    await producer.close();
  }
}
