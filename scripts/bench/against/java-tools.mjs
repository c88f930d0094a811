/** Kafka's own tools and clients, as its users run them, against either side. */
import { fileURLToPath } from "node:url";

const RUN_MS_MAX = 240_000;
/** A program of ours on Kafka's clients; `java` compiles it itself. */
const ONE_AT_A_TIME = fileURLToPath(new URL("OneAtATime.java", import.meta.url));
/** What the tool calls MB is 2^20 bytes; we count its records instead. */
const PRODUCED = /(\d+) records sent, ([\d.]+) records\/sec/g;

export class JavaTools {
  #kafka;

  /** `kafka`: whose jars are used. */
  constructor(kafka) {
    this.#kafka = kafka;
  }

  /** Sends with the producer's defaults; resolves with records per second. */
  async produce(side, topic, { count, recordBytes }) {
    const said = await this.#run("org.apache.kafka.tools.ProducerPerformance", [
      ...["--topic", topic, "--num-records", String(count), "--record-size", String(recordBytes)],
      ...["--throughput", "-1", "--bootstrap-server", side.bootstrap],
    ]);
    const [, sent, perSecond] = [...said.matchAll(PRODUCED)].at(-1) ?? [];
    if (Number(sent) !== count) throw new Error(`${topic}: ${sent} of ${count} sent`);
    return Number(perSecond);
  }

  /**
   * One record at a time, to the broker and back, in milliseconds: `whole` until the consumer has it,
   * `acknowledged` until the producer knows that all have it. The first `uncounted` are for the
   * client's own compiler.
   */
  async oneAtATime(side, topic, { uncounted, counted, recordBytes }) {
    const numbers = [uncounted, counted, recordBytes].map(String);
    const said = await this.#run(ONE_AT_A_TIME, [side.bootstrap, topic, ...numbers]);
    const line = said.split("\n").find((each) => each.startsWith("{"));
    if (line === undefined) throw new Error(`OneAtATime said: ${said.slice(-500)}`);
    const inMs = (times) =>
      Object.fromEntries(Object.entries(times).map(([name, us]) => [name, us / 1_000]));
    const { whole, acknowledged } = JSON.parse(line);
    return { whole: inMs(whole), acknowledged: inMs(acknowledged) };
  }

  async #run(program, args) {
    const options = { stdout: "collect" };
    const child = this.#kafka.run(program, args, options);
    child.stdin.end();
    const { code, isOverdue } = await child.endedWithin(RUN_MS_MAX);
    const said = `${child.stdout}${child.stderr}`;
    if (isOverdue || code !== 0)
      throw new Error(`${program} failed (${code}): ${said.slice(-800)}`);
    return said;
  }
}
