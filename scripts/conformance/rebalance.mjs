/**
 * A group under load: members come and go while records are written, and every record must reach
 * some member. More than once is allowed, never is not.
 */

import { until } from "../lab/waiting.mjs";
import { freshName, need, numbered, numberIn } from "./test-records.mjs";

const PARTITIONS = 6;
const BURST = 10;
const STEP_RECORDS = 300;

export async function rebalanceUnderLoad(driver) {
  need(driver, "member", "producer");
  const topic = freshName("load");
  const group = freshName("load");
  await driver.createTopic(topic, { partitions: PARTITIONS });
  const load = new Load(driver, topic);
  const members = [];
  const join = async (name) => {
    const seen = new Set();
    const member = await driver.member(group, topic, (record) => {
      seen.add(numberIn(record));
    });
    members.push({ name, seen, member });
  };
  await load.start();
  for (const name of ["first", "second", "third"]) {
    await join(name);
    await load.untilMore(STEP_RECORDS);
  }
  const [leaving] = members;
  const { name, seen } = members[2];
  await until(`the ${name} member gets records`, () => seen.size > 0);
  await leaving.member.close();
  await load.untilMore(STEP_RECORDS);
  const sent = await load.stop();
  const missing = () => sent.filter((number) => !members.some((each) => each.seen.has(number)));
  await until("every record came to some member", () => missing().length === 0);
  for (const each of members.slice(1)) await each.member.close();
}

/** A producer that goes on until it is stopped; remembers what was acknowledged. */
class Load {
  #driver;
  #topic;
  #sent = [];
  #isStopped = false;
  #producer;
  #done;

  constructor(driver, topic) {
    this.#driver = driver;
    this.#topic = topic;
  }

  async start() {
    this.#producer = await this.#driver.producer({ isIdempotent: false });
    this.#done = this.#run();
    // A failure surfaces in `stop`, or while somebody waits for more.
    this.#done.catch(() => undefined);
  }

  async untilMore(count) {
    const enough = this.#sent.length + count;
    const more = until(`${count} more records are acknowledged`, () => this.#sent.length >= enough);
    await Promise.race([more, this.#done.then(() => more)]);
  }

  async stop() {
    this.#isStopped = true;
    await this.#done;
    await this.#producer.close();
    return this.#sent;
  }

  async #run() {
    for (let from = 0; !this.#isStopped; from += BURST) {
      const numbers = Array.from({ length: BURST }, (_, at) => from + at);
      const records = numbers.map((number) => numbered(number));
      await this.#producer.send(this.#topic, (from / BURST) % PARTITIONS, records);
      this.#sent.push(...numbers);
    }
  }
}
