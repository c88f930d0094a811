/** Settings of one broker, of all of them, and of groups, that are changed while brokers run. */
import { sleep } from "../../lab/waiting.mjs";

const BROKER = 4;
const TOPIC = 2;
const GROUP = 32;
const SET = 0;
const REMOVE = 1;
const APPEND = 2;
const SUBTRACT = 3;
const RELOGIN = "sasl.kerberos.min.time.before.relogin";
const SESSION = "consumer.session.timeout.ms";
/** After this long a change has reached every broker of either side. */
const REACHED_MS = 1_500;
const BEHIND_MS = 5_000;

export const runTimeConfigs = {
  async "settings of one broker that are altered"(door) {
    const broker = await OneResource.ofBroker(door);
    const { other, name } = broker;
    const size = "log.segment.bytes";
    const { name: topic } = await door.topic("of-one-broker");
    await broker.step("for all", "", [[size, SET, "3145728"]]);
    await broker.step("only checked", name, [[size, SET, "2097152"]], { validateOnly: true });
    await broker.shown("after a check", [size]);
    await broker.step("set", name, [
      [size, SET, "2097152"],
      [RELOGIN, SET, "58000"],
    ]);
    await broker.shown("before that of all", [size, RELOGIN]);
    await broker.shown("on another", [size], { to: other, resourceName: broker.otherName });
    const ofTopic = { resourceType: TOPIC, resourceName: topic };
    await broker.shown("of a topic there", ["segment.bytes"], ofTopic);
    await broker.shown("of a topic elsewhere", ["segment.bytes"], { ...ofTopic, to: other });
    await broker.step("added to a list", name, [["log.cleanup.policy", APPEND, "compact"]]);
    await broker.shown("added to a list", ["log.cleanup.policy"]);
    await broker.step("taken from a list", name, [["log.cleanup.policy", SUBTRACT, "compact"]]);
    await broker.shown("taken from a list", ["log.cleanup.policy"]);
    await broker.step("a good one and a fixed one", name, [
      [size, SET, "4194304"],
      ["num.partitions", SET, "6"],
    ]);
    await broker.step("removed", name, [
      [RELOGIN, REMOVE],
      ["log.cleanup.policy", REMOVE],
    ]);
    await broker.shown("removed", [size, "log.cleanup.policy"]);
    await broker.replace("only checked", name, {}, { validateOnly: true });
    await broker.replace("by another", name, { "background.threads": "9" });
    await broker.shown("replaced", [size, "background.threads"]);
    await broker.replace("by nothing", name, {});
    await broker.shown("replaced by nothing", [size]);
    // Where the two sides are one cluster, the other one may be a little behind.
    await sleep(BEHIND_MS);
    await broker.step("of all, removed", "", [[size, REMOVE]]);
  },

  async "settings of brokers that are refused"(door) {
    const broker = await OneResource.ofBroker(door);
    const { name } = broker;
    const size = "log.segment.bytes";
    for (const [label, id] of [
      ["another one", broker.otherName],
      ["none that there is", "9"],
      ["no number", "x"],
      ["below zero", "-1"],
    ]) {
      await broker.step(label, id, [[size, SET, "2097152"]]);
      await broker.step(`${label}, nothing asked`, id, []);
      await broker.replace(label, id, {});
    }
    for (const [key, value] of [
      [size, "soon"],
      [size, "1"],
      ["log.cleanup.policy", "burn"],
      ["background.threads", "0"],
      [RELOGIN, "soon"],
      ["node.id", "7"],
      ["num.partitions", "6"],
      ["default.replication.factor", "2"],
      ["min.insync.replicas", "2"],
      ["log.retention.hours", "5"],
      ["no.such.key", "1"],
    ]) {
      await broker.step(`${key}=${value}`, name, [[key, SET, value]]);
      await broker.replace(`${key}=${value}`, name, { [key]: value });
    }
    await broker.step("of all, for one only", "", [[RELOGIN, SET, "58000"]]);
    await broker.step("of all, no number", "", [[size, SET, "soon"]]);
    await broker.step("of all, fixed", "", [["node.id", SET, "7"]]);
    await broker.step("fixed, removed", name, [["node.id", REMOVE]]);
    await broker.step("unknown key removed", name, [["no.such.key", REMOVE]]);
    await broker.step("added to what is none", name, [[size, APPEND, "5"]]);
    await broker.step("set to null", name, [[size, SET]]);
    await broker.step("a step that is none", name, [[size, 9, "5"]]);
    await broker.step("twice", name, [
      [size, SET, "2097152"],
      [size, SET, "3145728"],
    ]);
    await broker.replace("null", name, { [size]: null });
    await broker.replace("by nothing", name, {});
  },

  async "settings of groups"(door) {
    const group = new OneResource(door, { type: GROUP, name: door.name("configured") });
    const { name } = group;
    await group.step("only checked", name, [[SESSION, SET, "50000"]], { validateOnly: true });
    await group.step("set", name, [[SESSION, SET, "50000"]]);
    await group.shown("set", [SESSION]);
    for (const value of ["soon", "44999", "60001"]) {
      await group.step(`session of ${value}`, name, [[SESSION, SET, value]]);
    }
    for (const value of ["4999", "15001", "15000"]) {
      await group.step(`beats of ${value}`, name, [["consumer.heartbeat.interval.ms", SET, value]]);
    }
    await group.step("unknown key", name, [["no.such.key", SET, "1"]]);
    await group.step("unknown key removed", name, [["no.such.key", REMOVE]]);
    await group.step("added to what is none", name, [[SESSION, APPEND, "5"]]);
    await group.step("set to null", name, [[SESSION, SET]]);
    await group.step("no name", "", [[SESSION, SET, "50000"]]);
    await group.step("of share groups", name, [["share.auto.offset.reset", SET, "earliest"]]);
    await group.replace("by another", name, { [SESSION]: "47000" });
    await group.shown("replaced", [SESSION]);
    await group.step("removed", name, [[SESSION, REMOVE]]);
    await group.shown("removed", [SESSION]);
  },
};

/** Asks of one resource. What it is called is left out: the two sides may be one cluster. */
class OneResource {
  own;
  other;
  otherName;
  name;
  #door;
  #type;

  static async ofBroker(door) {
    const own = door.side.name.endsWith("again") ? 2 : 1;
    const other = 3;
    const resource = new OneResource(door, { type: BROKER, name: String(own) });
    resource.own = await door.connection(own);
    resource.other = await door.connection(other);
    resource.otherName = String(other);
    return resource;
  }

  constructor(door, { type, name }) {
    this.#door = door;
    this.#type = type;
    this.name = name;
  }

  async step(label, resourceName, operations, { validateOnly = false, to = this.own } = {}) {
    const configs = operations.map(([name, configOperation, value = null]) => {
      return { name, configOperation, value };
    });
    const resource = { resourceType: this.#type, resourceName, configs };
    const body = { resources: [resource], validateOnly };
    const outcome = await this.#door.quietly("IncrementalAlterConfigs", 1, body, { to });
    this.#record(`by steps, ${label}`, outcome, "responses");
  }

  async replace(label, resourceName, settings, { validateOnly = false, to = this.own } = {}) {
    const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
    const resource = { resourceType: this.#type, resourceName, configs };
    const body = { resources: [resource], validateOnly };
    const outcome = await this.#door.quietly("AlterConfigs", 2, body, { to });
    this.#record(`replaced, ${label}`, outcome, "responses");
  }

  async shown(label, configurationKeys, { to = this.own, ...resource } = {}) {
    await sleep(REACHED_MS);
    const own = { resourceType: this.#type, resourceName: this.name };
    const body = {
      resources: [{ ...own, ...resource, configurationKeys }],
      includeSynonyms: true,
      includeDocumentation: false,
    };
    const outcome = await this.#door.quietly("DescribeConfigs", 4, body, { to });
    this.#record(`shown, ${label}`, outcome, "results");
  }

  #record(label, { body, ...rest }, answers) {
    if (body === undefined) {
      this.#door.record(label, rest);
      return;
    }
    const told = body[answers].map(({ resourceName, ...answer }) => answer);
    this.#door.record(label, { body: { [answers]: told } });
  }
}
