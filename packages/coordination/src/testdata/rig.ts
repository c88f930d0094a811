/**
 * Conversations with the groups of one shard, as text: a line that starts with "> " is a command,
 * what follows it is what the shard answered and wrote. `play` runs the commands of such a text and
 * writes it anew; a test compares the two.
 *
 * Clients have names. The rig remembers which member each of them is, and of which generation, so
 * that a command says only what differs. The commands are the methods below; `key=value` among
 * their words are settings.
 */
import {
  type CoordinationRecord,
  GROUP_CONFIG_DEFAULTS,
  type GroupCommand,
  type GroupConfig,
  type GroupResponse,
  GroupShard,
  type GroupStep,
  type Moment,
  type Ticket,
  type TopicOf,
} from "../index.js";
import { recordSentence, responseSentence } from "./sentences.js";
import { bytesOf, protocolsOf } from "./words.js";

/** Wall time at the start of a conversation: not that of the monotonic clock, which starts at 0. */
const START_WALL_MS = 1_000_000;

/** Runs every command of `text`; returns it with the answers of today. */
export function play(text: string): string {
  const rig = new Rig();
  const lines: string[] = [];
  let isAfterAnswer = false;
  for (const line of text.split("\n")) {
    const isCommand = line.startsWith("> ");
    if (!isCommand && !line.startsWith("#")) continue;
    if (isAfterAnswer) lines.push("");
    isAfterAnswer = isCommand;
    lines.push(line);
    if (isCommand) lines.push(...rig.run(line.slice(2)).map((said) => `  ${said}`));
  }
  return `${lines.join("\n")}\n`;
}

interface Client {
  readonly name: string;
  memberId: string;
  generation: number;
  instanceId: string | undefined;
  /** Words of its last join, which the next one repeats. */
  terms: ReadonlyMap<string, string>;
}

/** Words of a command: those in order, and those with a name. */
interface Words {
  readonly plain: readonly string[];
  readonly settings: ReadonlyMap<string, string>;
}

class Rig {
  #config: GroupConfig = GROUP_CONFIG_DEFAULTS;
  #shard = new GroupShard(this.#config);
  #groupId = "g";
  #nowMs = 0;
  #wallAheadMs = START_WALL_MS;
  #ticket = 0;
  #ids = 0;
  readonly #clients = new Map<string, Client>();
  readonly #askers = new Map<Ticket, string>();
  readonly #records: CoordinationRecord[] = [];
  #said: string[] = [];

  readonly #commands: ReadonlyMap<string, (words: Words) => void> = new Map([
    ["config", (words: Words): void => this.#configure(words)],
    ["group", (words: Words): void => this.#choose(words)],
    ["join", (words: Words): void => this.#join(words)],
    ["sync", (words: Words): void => this.#sync(words)],
    ["heartbeat", (words: Words): void => this.#heartbeat(words)],
    ["leave", (words: Words): void => this.#leave(words)],
    ["commit", (words: Words): void => this.#commit(words)],
    ["offsets", (words: Words): void => this.#offsets(words)],
    ["describe", (): void => this.#ask("describe", { kind: "describe", groupId: this.#groupId })],
    ["list", (words: Words): void => this.#list(words)],
    ["delete", (): void => this.#ask("delete", { kind: "delete-group", groupId: this.#groupId })],
    ["delete-offsets", (words: Words): void => this.#deleteOffsets(words)],
    ["topics-deleted", (words: Words): void => this.#topicsDeleted(words)],
    ["forget", (words: Words): void => this.#forget(words)],
    ["pass", (words: Words): void => this.#pass(Number(words.plain[0]))],
    ["calendar", (words: Words): void => this.#moveCalendar(Number(words.plain[0]))],
    ["restart", (): void => this.#restart()],
  ]);

  run(line: string): readonly string[] {
    const [name = "", ...words] = line.trim().split(/\s+/);
    const command = this.#commands.get(name);
    if (command === undefined) throw new Error(`no command "${name}"`);
    this.#said = [];
    const settings = words.filter((word) => word.includes("="));
    command({
      plain: words.filter((word) => !word.includes("=")),
      settings: new Map(settings.map((word) => word.split("=") as [string, string])),
    });
    return this.#said;
  }

  /** A shard of its own for what follows: `config initialRebalanceDelayMs=0`. */
  #configure({ settings }: Words): void {
    const given = Object.fromEntries([...settings].map(([key, value]) => [key, Number(value)]));
    this.#config = { ...this.#config, ...given };
    this.#shard = new GroupShard(this.#config);
    this.#shard.loaded(this.#now());
  }

  /**
   * `join anna`, and any of `v=5` (9), `id=…`, `instance=…`, `session=…`, `rebalance=…`, `type=…`,
   * `protocols=range:t,u;sticky:t`. What is left out is as in the last join of that client.
   */
  #join({ plain, settings }: Words): void {
    const client = this.#client(plain[0]);
    client.terms = new Map([...client.terms, ...settings]);
    if (settings.has("instance")) client.instanceId = settings.get("instance");
    const word = (key: string, otherwise: string): string => client.terms.get(key) ?? otherwise;
    const version = Number(word("v", "9"));
    const type = word("type", "consumer");
    const { instanceId } = client;
    this.#ask(client.name, {
      kind: "join",
      groupId: this.#groupId,
      memberId: settings.get("id") ?? client.memberId,
      instanceId,
      newMemberId: `${instanceId ?? client.name}-${++this.#ids}`,
      requiresKnownMemberId: version >= 4,
      supportsSkippingAssignment: version >= 9,
      sessionTimeoutMs: Number(word("session", "10000")),
      rebalanceTimeoutMs: version === 0 ? undefined : Number(word("rebalance", "60000")),
      protocolType: type,
      protocols: protocolsOf(word("protocols", "range:t"), type),
      clientId: client.name,
      clientHost: word("host", "127.0.0.1"),
    });
  }

  /** `sync anna anna=t-0 bert=t-1`; `generation=`, `type=` and `name=` are settings. */
  #sync({ plain, settings }: Words): void {
    const client = this.#client(plain[0]);
    const assignments = [...settings].filter(([key]) => this.#clients.has(key));
    this.#ask(client.name, {
      kind: "sync",
      groupId: this.#groupId,
      ...this.#memberOf(client, settings),
      protocolType: settings.get("type"),
      protocolName: settings.get("name"),
      assignments: assignments.map(([name, text]) => ({
        memberId: this.#client(name).memberId,
        assignment: bytesOf(text),
      })),
    });
  }

  #heartbeat({ plain, settings }: Words): void {
    const client = this.#client(plain[0]);
    const member = this.#memberOf(client, settings);
    this.#ask(client.name, { kind: "heartbeat", groupId: this.#groupId, ...member });
  }

  /** `leave anna bert`, or `leave instance=x` as an operator does it. */
  #leave({ plain, settings }: Words): void {
    const members = plain.map((name) => {
      const { memberId, instanceId } = this.#client(name);
      return { memberId: settings.get("id") ?? memberId, instanceId };
    });
    if (plain.length === 0) members.push({ memberId: "", instanceId: settings.get("instance") });
    const asker = plain.length === 1 ? (plain[0] as string) : "leave";
    this.#ask(asker, { kind: "leave", groupId: this.#groupId, members });
  }

  /** `commit anna t-0:5 u-1:7`, or `commit - t-0:5` for one that is no member. */
  #commit({ plain, settings }: Words): void {
    const [name = "-", ...places] = plain;
    const retention = settings.get("retention");
    const metadata = (settings.get("text") ?? "").repeat(Number(settings.get("times") ?? "1"));
    const nobody = { memberId: "", instanceId: undefined, generation: -1 };
    this.#ask(name === "-" ? "nobody" : name, {
      kind: "commit",
      groupId: this.#groupId,
      ...(name === "-" ? nobody : this.#memberOf(this.#client(name), settings)),
      retentionMs: retention === undefined ? undefined : Number(retention),
      topics: byTopic(places).map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(([partition, offset]) => ({
          partition,
          offset,
          leaderEpoch: Number(settings.get("epoch") ?? "-1"),
          metadata,
        })),
      })),
    });
  }

  #offsets({ plain }: Words): void {
    const topics = plain.length === 0 ? undefined : partitionsOf(plain);
    this.#ask("offsets", { kind: "fetch-offsets", groupId: this.#groupId, topics });
  }

  #deleteOffsets({ plain }: Words): void {
    const topics = partitionsOf(plain);
    this.#ask("offsets", { kind: "delete-offsets", groupId: this.#groupId, topics });
  }

  #topicsDeleted({ plain }: Words): void {
    this.#ask("topics", { kind: "topics-deleted", topics: plain });
  }

  #list({ settings }: Words): void {
    const filter = (key: string): string[] => settings.get(key)?.split(",") ?? [];
    this.#ask("list", { kind: "list", states: filter("states"), types: filter("types") });
  }

  /** The connection of a client that waits is gone. */
  #forget({ plain }: Words): void {
    for (const [ticket, name] of [...this.#askers]) {
      if (name !== plain[0]) continue;
      this.#askers.delete(ticket);
      this.#take(this.#shard.forget(ticket, this.#now()));
    }
  }

  /** The group that what follows is about. */
  #choose({ plain }: Words): void {
    this.#groupId = plain[0] ?? "";
  }

  #moveCalendar(aheadMs: number): void {
    this.#wallAheadMs += aheadMs;
  }

  #pass(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    for (;;) {
      const nextMs = this.#shard.nextDeadlineMs;
      if (nextMs === undefined || nextMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      const step = this.#shard.tick(this.#now());
      const isSilent = step.records.length === 0 && step.replies.length === 0;
      if (!isSilent) this.#said.push(`after ${this.#nowMs - (untilMs - durationMs)} ms`);
      this.#take(step);
    }
    this.#nowMs = untilMs;
  }

  /** Another broker takes over, with what is in the offsets topic. */
  #restart(): void {
    this.#shard = new GroupShard(this.#config);
    for (const record of this.#records) this.#shard.replay(record);
    this.#shard.loaded(this.#now());
    this.#askers.clear();
  }

  #ask(asker: string, command: GroupCommand): void {
    const ticket = ++this.#ticket;
    this.#askers.set(ticket, asker);
    this.#take(this.#shard.step(command, ticket, this.#now()));
    if (this.#askers.has(ticket)) this.#said.push(`${asker} waits`);
  }

  #take(step: GroupStep): void {
    for (const record of step.records) {
      this.#records.push(record);
      this.#said.push(recordSentence(record));
    }
    for (const { ticket, response } of step.replies) this.#hear(ticket, response);
  }

  #hear(ticket: Ticket, response: GroupResponse): void {
    const asker = this.#askers.get(ticket);
    if (asker === undefined)
      throw new Error(`ticket ${ticket} is answered twice, or was not asked`);
    this.#askers.delete(ticket);
    const client = this.#clients.get(asker);
    if (client !== undefined && response.kind === "join") this.#learn(client, response);
    this.#said.push(...responseSentence(asker, response));
  }

  #learn(client: Client, response: GroupResponse & { kind: "join" }): void {
    if (response.error === undefined || response.error === "MEMBER_ID_REQUIRED") {
      client.memberId = response.memberId;
    }
    if (response.error === undefined) client.generation = response.generation;
  }

  #memberOf(client: Client, settings: ReadonlyMap<string, string>): MemberWords {
    return {
      memberId: settings.get("id") ?? client.memberId,
      instanceId: settings.get("instance") ?? client.instanceId,
      generation: Number(settings.get("generation") ?? client.generation),
    };
  }

  #client(name = ""): Client {
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = { name, memberId: "", generation: -1, instanceId: undefined, terms: new Map() };
      this.#clients.set(name, client);
    }
    return client;
  }

  #now(): Moment {
    return { monotonicMs: this.#nowMs, wallMs: this.#wallAheadMs + this.#nowMs };
  }
}

interface MemberWords {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly generation: number;
}

/** `t-0:5 t-1:6` as topics, each with pairs of partition and offset. */
function byTopic(places: readonly string[]): TopicOf<readonly [number, number]>[] {
  const topics = new Map<string, [number, number][]>();
  for (const place of places) {
    const [, topic = "", partition, offset] = /^(.*)-(\d+)(?::(-?\d+))?$/.exec(place) ?? [];
    const partitions = topics.get(topic) ?? [];
    partitions.push([Number(partition), Number(offset ?? -1)]);
    topics.set(topic, partitions);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

function partitionsOf(places: readonly string[]): TopicOf<number>[] {
  return byTopic(places).map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(([partition]) => partition),
  }));
}
