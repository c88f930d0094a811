/**
 * One run: three brokers, a group of three members as processes, a producer, and somebody who asks
 * for the committed offsets all the time. Members and brokers are killed in an order that the seed
 * decides; then everything that was written must come through.
 */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { Cluster } from "../../lab/cluster.mjs";
import { until } from "../../lab/waiting.mjs";
import { Workspace } from "../../lab/workspace.mjs";
import { SeededRandom } from "../seeded-random.mjs";

const MEMBER = path.join(path.dirname(fileURLToPath(import.meta.url)), "member.mjs");
const MEMBERS = 3;
const PARTITIONS = 6;
const TOPIC = "chaos-groups";
const GROUP = "chaos";
const BATCH_RECORDS = 10;
const WRITE_EVERY_MS = 50;
const ASK_EVERY_MS = 150;
/** Nothing may stand still longer: a session, a rebalance, a failover, and a slow machine. */
const PROGRESS_MS_MAX = 60_000;
const STEADY_MS_MAX = 90_000;

export class GroupsRun {
  problems = [];
  acknowledged = [];
  answers = [];
  /** Of each member process that there was: its events, in order. */
  members = [];
  ends = [];
  performed = { member: 0, broker: 0 };
  #options;
  #random;
  #workspace = new Workspace();
  #cluster;
  #kafka;
  #running = [];
  /** Nothing more is written. */
  #isOver = false;
  /** Nothing more is asked. */
  #isAnswered = false;
  #value = 0;

  constructor(options) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  get directory() {
    return this.#workspace.directory;
  }

  closeNow() {
    this.#workspace.closeNow();
  }

  async run() {
    this.#cluster = await Cluster.start(this.#workspace);
    this.#kafka = new Kafka({
      clientId: "chaos",
      brokers: this.#cluster.kafkaBootstrap,
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1_000,
      requestTimeout: 10_000,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 1_000 },
    });
    await this.#cluster.client.admin.createTopic({
      name: TOPIC,
      partitions: PARTITIONS,
      replicationFactor: 3,
    });
    this.#running = Array.from({ length: MEMBERS }, (_, at) => this.#startMember(at));
    const writing = this.#write();
    const asking = this.#ask();
    try {
      await this.#killInTurn();
      this.#isOver = true;
      await writing;
      await this.#untilDrained();
    } finally {
      this.#isOver = true;
      this.#isAnswered = true;
      for (const member of this.#running) member.read();
      await Promise.all([writing, asking]);
    }
  }

  async close({ isKept }) {
    this.#isOver = true;
    if (isKept) this.#workspace.keep();
    await this.#workspace.close();
  }

  /** Kills of members and brokers, mixed. A broker is back and in sync before the next goes. */
  async #killInTurn() {
    const { memberKills, brokerKills, say } = this.#options;
    const kinds = this.#random.shuffled([
      ...Array(memberKills).fill("member"),
      ...Array(brokerKills).fill("broker"),
    ]);
    await this.#untilProgress();
    for (const [at, kind] of kinds.entries()) {
      const startedAtMs = performance.now();
      const victim = kind === "member" ? await this.#killMember() : await this.#killBroker();
      this.performed[kind] += 1;
      // Often the next comes while the group is still about it.
      if (this.#random.below(3) > 0) await this.#untilProgress();
      await sleep(this.#random.logarithmic(50, 2_000));
      const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
      say(
        `${at + 1} of ${kinds.length}: killed ${kind} ${victim}, ${seconds} s; ` +
          `${this.acknowledged.length} written, generation ${this.#generation()}`,
      );
      this.#watch();
    }
  }

  async #killMember() {
    const at = this.#random.below(MEMBERS);
    await this.#running[at].child.kill();
    this.#running[at].read();
    await sleep(this.#random.logarithmic(10, 3_000));
    this.#running[at] = this.#startMember(at);
    return at + 1;
  }

  async #killBroker() {
    await this.#cluster.untilHealthy(STEADY_MS_MAX);
    const ids = [...this.#cluster.nodes.keys()];
    // Half of the time whoever coordinates the group.
    const coordinator = this.#random.below(2) === 0 ? await this.#coordinator() : undefined;
    const id = coordinator ?? ids[this.#random.below(ids.length)];
    await this.#cluster.kill(id);
    await sleep(this.#random.logarithmic(50, 4_000));
    this.#cluster.startNode(id);
    await this.#cluster.untilHealthy(STEADY_MS_MAX);
    return coordinator === undefined ? id : `${id}, the coordinator,`;
  }

  async #coordinator() {
    const { partitions } = await this.#cluster.client.admin.describeTopic("__consumer_offsets");
    const place = groupPlace(GROUP, partitions.length);
    return partitions.find(({ partition }) => partition === place)?.leaderId;
  }

  #startMember(at) {
    const events = [];
    this.members.push(events);
    const child = this.#workspace.spawn(
      process.execPath,
      [MEMBER, this.#cluster.kafkaBootstrap.join(","), GROUP, TOPIC, `member-${at + 1}`],
      { stdout: "collect", logFile: this.#workspace.path(`member-${at + 1}.log`) },
    );
    let readBytes = 0;
    /** Whole lines only: the last one may be cut off by a kill. */
    const read = () => {
      const output = child.stdout;
      const end = output.lastIndexOf(10) + 1;
      for (const line of output.subarray(readBytes, end).toString().split("\n")) {
        if (line !== "") events.push(JSON.parse(line));
      }
      readBytes = Math.max(readBytes, end);
    };
    return { child, events, read };
  }

  async #write() {
    const producer = this.#kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
    });
    await producer.connect();
    while (!this.#isOver) {
      const partition = (this.#value / BATCH_RECORDS) % PARTITIONS;
      const values = Array.from({ length: BATCH_RECORDS }, () => String(this.#value++));
      try {
        const [stored] = await producer.send({
          topic: TOPIC,
          acks: -1,
          messages: values.map((value) => ({ partition, value })),
        });
        const base = Number(stored.baseOffset);
        if (base < 0) continue;
        for (const [index, value] of values.entries()) {
          this.acknowledged.push({ partition, offset: base + index, value });
        }
      } catch (error) {
        // What became of it is not known; whether it is there, the log says.
        this.#options.say(`a write failed: ${error.message}`);
      }
      await sleep(WRITE_EVERY_MS);
    }
    await producer.disconnect();
  }

  /** Asks until everything is drained; each question remembers when it was asked. */
  async #ask() {
    const admin = this.#kafka.admin();
    await admin.connect();
    while (!this.#isAnswered) {
      const askedAt = Number(process.hrtime.bigint()) / 1e6;
      try {
        const [found] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] });
        const at = Number(process.hrtime.bigint()) / 1e6;
        for (const { partition, offset } of found.partitions) {
          this.answers.push({ partition, offset: Number(offset), askedAt, at });
        }
      } catch (error) {
        this.#options.say(`a question failed: ${error.message}`);
      }
      await sleep(ASK_EVERY_MS);
    }
    await admin.disconnect();
  }

  #isDrained() {
    if (this.ends.length === 0) return false;
    return this.ends.every((end, partition) => this.#committedOf(partition) >= end);
  }

  /** The highest that the observer was told last. */
  #committedOf(partition) {
    return this.answers.findLast((answer) => answer.partition === partition)?.offset ?? -1;
  }

  async #untilDrained() {
    await this.#cluster.untilHealthy(STEADY_MS_MAX);
    const { partitions } = await this.#cluster.client.admin.describeTopic(TOPIC);
    this.ends = [...partitions]
      .sort((a, b) => a.partition - b.partition)
      .map(({ highWatermark }) => highWatermark ?? 0);
    try {
      await until("everything is delivered and committed", () => this.#isDrained(), {
        timeoutMs: PROGRESS_MS_MAX,
        pollMs: 100,
      });
    } catch (error) {
      this.problems.push(error.message);
    }
    this.#watch();
    await Promise.all(this.#running.map(async ({ child }) => await child.stop()));
  }

  /** Every partition is owned and goes forward. */
  async #untilProgress() {
    const before = Array.from({ length: PARTITIONS }, (_, at) => this.#committedOf(at));
    await until(
      "every partition has more committed",
      () => before.every((offset, partition) => this.#committedOf(partition) > offset),
      { timeoutMs: PROGRESS_MS_MAX, pollMs: 50 },
    );
  }

  #generation() {
    for (const member of this.#running) member.read();
    const joins = this.members.flat().filter(({ kind }) => kind === "joined");
    return joins.reduce((newest, { generation }) => Math.max(newest, generation), 0);
  }

  #watch() {
    for (const { events } of this.#running) {
      const crash = events.find(({ kind, restarts }) => kind === "crashed" && !restarts);
      if (crash !== undefined) this.problems.push(`a member gave up: ${crash.error}`);
    }
    for (const { id, child } of this.#cluster.nodes.values()) {
      if (!child.isAlive) this.problems.push(`broker ${id} ended by itself`);
    }
  }
}

/** As every client computes it. */
function groupPlace(groupId, count) {
  let hash = 0;
  for (const character of groupId) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return Math.abs(hash) % count;
}
