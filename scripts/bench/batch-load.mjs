/** Batches that are encoded once and sent again and again: what the brokers take, not the client. */
import { crc32c } from "@strandline/platform";
import { BatchEncoder } from "@strandline/record";
import { logMethods } from "@strandline/rpc";
import { GivenUp, until } from "../lab/waiting.mjs";

export const RECORDS_PER_BATCH = 250;
const VALUE_BYTES = 1_024;
const BATCH = encode();
/** Size of one batch as it is stored. */
export const BATCH_BYTES = BATCH.length;
/** Bytes of values in it. */
export const BATCH_VALUE_BYTES = RECORDS_PER_BATCH * VALUE_BYTES;
/** Batches of one partition under way at a time. */
const WINDOW = 8;

export class BatchLoad {
  /** Bytes of values that were acknowledged. */
  acknowledgedBytes = 0;
  #streams = [];
  #topic;
  #failure;
  #underWay = 0;
  #isStopped = false;
  #onIdle = () => undefined;

  /** Opens one stream to each leader. */
  static async open(cluster, topic) {
    const { partitions } = await cluster.client.admin.describeTopic(topic);
    const load = new BatchLoad(topic);
    for (const [leader, led] of byLeader(partitions)) {
      const address = `127.0.0.1:${cluster.nodes.get(leader).grpcPort}`;
      load.#open(cluster.transport, address, led);
    }
    return load;
  }

  constructor(topic) {
    this.#topic = topic;
  }

  start() {
    for (const { stream, partitions } of this.#streams) {
      for (const partition of partitions) {
        for (let at = 0; at < WINDOW; at += 1) this.#send(stream, partition);
      }
    }
  }

  /** Why it has stopped by itself. */
  get failure() {
    return this.#failure;
  }

  /** Resolves once so much was acknowledged. Rejects when it fails before. */
  async untilAcknowledged(bytes, timeoutMs = 600_000) {
    await until(
      `${bytes} bytes are acknowledged`,
      () => {
        if (this.#failure !== undefined) throw new GivenUp(this.#failure.message);
        return this.acknowledgedBytes >= bytes;
      },
      { timeoutMs, pollMs: 5 },
    );
  }

  /** Waits for what is under way. Rejects when a batch was refused or a stream broke. */
  async stop() {
    this.#isStopped = true;
    await new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#underWay === 0 || this.#failure !== undefined) resolve();
    });
    for (const { stream } of this.#streams) stream.end();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #open(transport, address, led) {
    const entry = { stream: undefined, partitions: led.map(({ partition }) => partition) };
    entry.stream = transport.open(address, logMethods.produceStream, {
      onMessage: (answer) => this.#answered(entry.stream, answer),
      onEnd: (error) => {
        if (!this.#isStopped) this.#fail(error ?? new Error(`${address} ended the stream`));
      },
    });
    this.#streams.push(entry);
  }

  #send(stream, partition) {
    this.#underWay += 1;
    stream.send({
      correlationId: partition,
      topic: this.#topic,
      partition,
      acks: "ACKS_ALL",
      timeoutMs: 30_000,
      records: [],
      batch: BATCH,
      forwarded: false,
    });
  }

  #answered(stream, answer) {
    this.#underWay -= 1;
    if (answer.error !== undefined) {
      this.#fail(new Error(`${answer.error.code}: ${answer.error.message}`));
      return;
    }
    this.acknowledgedBytes += BATCH_VALUE_BYTES;
    if (!this.#isStopped) this.#send(stream, answer.correlationId);
    else if (this.#underWay === 0) this.#onIdle();
  }

  #fail(error) {
    this.#failure ??= error;
    this.#isStopped = true;
    this.#onIdle();
  }
}

function encode() {
  const encoder = new BatchEncoder();
  const value = Buffer.alloc(VALUE_BYTES, "strandline ");
  const timestampMs = Date.now();
  for (let at = 0; at < RECORDS_PER_BATCH; at += 1)
    encoder.append({ key: null, value, timestampMs });
  return encoder.finish({ crc32c });
}

/** What `Map.groupBy` does, which Node 20 lacks. */
function byLeader(partitions) {
  const groups = new Map();
  for (const each of partitions) {
    const group = groups.get(each.leaderId);
    if (group === undefined) groups.set(each.leaderId, [each]);
    else group.push(each);
  }
  return groups;
}
