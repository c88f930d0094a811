/**
 * One member of the group, as a process that may be killed at any moment: consumes, commits after
 * each batch, and writes a line of JSON for everything that it was told. Times are of the machine's
 * monotonic clock, which all processes share.
 *
 *     node member.mjs <bootstrap> <group> <topic> <name>
 */
import { Kafka, logLevel } from "kafkajs";
// The generation is in no event that the library tells of.
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";

const [bootstrap, groupId, topic, clientId] = process.argv.slice(2);

/** Pipes are written at once: a line that was told survives the process. */
function tell(event) {
  process.stdout.write(
    `${JSON.stringify({ ...event, at: Number(process.hrtime.bigint()) / 1e6 })}\n`,
  );
}

const { joinAndSync } = ConsumerGroup.prototype;
let stay = { generation: -1, partitions: [] };
ConsumerGroup.prototype.joinAndSync = async function (...args) {
  const result = await joinAndSync.apply(this, args);
  const assigned = this.assigned().find((each) => each.topic === topic);
  stay = { generation: this.generationId, partitions: [...(assigned?.partitions ?? [])] };
  tell({ kind: "joined", member: this.memberId, ...stay });
  return result;
};

const kafka = new Kafka({
  clientId,
  brokers: bootstrap.split(","),
  logLevel: logLevel.ERROR,
  logCreator: () => (entry) => process.stderr.write(`${entry.log.message}\n`),
  connectionTimeout: 1_000,
  requestTimeout: 10_000,
  retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 1_000 },
});
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: 6_000,
  rebalanceTimeout: 6_000,
  heartbeatInterval: 300,
  maxWaitTimeInMs: 100,
  metadataMaxAge: 5_000,
});

consumer.on(consumer.events.CRASH, ({ payload }) => {
  tell({ kind: "crashed", error: String(payload.error), restarts: payload.restart });
  if (!payload.restart) process.exit(1);
});

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  eachBatch: async ({ batch, resolveOffset, heartbeat, isStale, isRunning }) => {
    const { partition, messages } = batch;
    const last = messages.at(-1);
    const during = stay;
    const isOver = () => isStale() || !isRunning() || stay !== during;
    if (last === undefined || isOver()) return;
    tell({
      kind: "delivered",
      partition,
      records: messages.map(({ offset, value }) => [Number(offset), String(value)]),
    });
    const offset = Number(last.offset) + 1;
    resolveOffset(last.offset);
    try {
      await consumer.commitOffsets([{ topic, partition, offset: String(offset) }]);
      tell({ kind: "committed", partition, offset });
    } catch (error) {
      // The group has gone on without this member: the library joins again at the next heartbeat.
      tell({ kind: "refused", partition, offset, error: error.type ?? String(error) });
    }
    if (!isOver()) await heartbeat();
  },
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    consumer.disconnect().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
