/** Kafka's own tools, as its users run them, against either side. */

const RUN_MS_MAX = 240_000;
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
    const said = await this.#run("ProducerPerformance", [
      ...["--topic", topic, "--num-records", String(count), "--record-size", String(recordBytes)],
      ...["--throughput", "-1", "--bootstrap-server", side.bootstrap],
    ]);
    const [, sent, perSecond] = [...said.matchAll(PRODUCED)].at(-1) ?? [];
    if (Number(sent) !== count) throw new Error(`${topic}: ${sent} of ${count} sent`);
    return Number(perSecond);
  }

  /** One record at a time, to the broker and back; milliseconds, as precise as the tool prints. */
  async endToEnd(side, topic, count) {
    const said = await this.#run("EndToEndLatency", [
      ...[side.bootstrap, topic, String(count), "all", "100"],
    ]);
    const [, p50, p99] = /50th = (\d+), 99th = (\d+)/.exec(said) ?? [];
    const [, average] = /Avg latency: ([\d.]+) ms/.exec(said) ?? [];
    if (p50 === undefined) throw new Error(`EndToEndLatency said: ${said.slice(-500)}`);
    return { p50: Number(p50), p99: Number(p99), average: Number(average) };
  }

  async #run(tool, args) {
    const options = { stdout: "collect" };
    const child = this.#kafka.run(`org.apache.kafka.tools.${tool}`, args, options);
    child.stdin.end();
    const { code, isOverdue } = await child.endedWithin(RUN_MS_MAX);
    const said = `${child.stdout}${child.stderr}`;
    if (isOverdue || code !== 0) throw new Error(`${tool} failed (${code}): ${said.slice(-800)}`);
    return said;
  }
}
