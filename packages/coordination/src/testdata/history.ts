/**
 * A random history of the groups of one partition, with a coordinator that may fail at any moment:
 * what it wrote since the last commit is lost then, and the answers with it. Everything that was
 * answered is held against the promises of a group.
 */
import { unreachable } from "@strandline/model";
import {
  type CoordinationRecord,
  GROUP_CONFIG_DEFAULTS,
  type GroupCommand,
  type GroupReply,
  type GroupResponse,
  GroupShard,
  type GroupStep,
  type Ticket,
} from "../index.js";
import { bytesOf, subscriptionTo, textOf } from "./words.js";

export const CONFIG = {
  ...GROUP_CONFIG_DEFAULTS,
  initialRebalanceDelayMs: 100,
  sessionMsMin: 100,
  groupMembersMax: 4,
};

const GROUPS = ["g", "h"];
const TOPICS = ["t", "u"];

/** One thing that happens. Its numbers pick among what there is at that moment. */
export interface Happening {
  readonly what: What;
  readonly client: number;
  readonly number: number;
}

export const WHATS = [
  "everyone goes on",
  "everyone goes on",
  "everyone goes on",
  "everyone goes on",
  "go on",
  "go on",
  "go on",
  "join",
  "join with other words",
  "join anew",
  "sync",
  "heartbeat",
  "leave",
  "commit",
  "commit",
  "commit as nobody",
  "fetch",
  "delete",
  "delete offsets",
  "delete topic",
  "forget",
  "pass",
  "pass",
  "commit the log",
  "commit the log",
  "commit the log",
  "fail",
] as const;

type What = (typeof WHATS)[number];

interface Client {
  readonly groupId: string;
  readonly instanceId: string | undefined;
  memberId: string;
  generation: number;
  leads: readonly string[];
  words: string;
  /** What a client does next that does as it is told. */
  next: "join" | "sync" | "heartbeat";
}

interface Asked {
  readonly command: GroupCommand;
  readonly client: Client;
}

export interface Played {
  /** Every breach as a sentence; empty when all promises were kept. */
  readonly breaches: readonly string[];
  /** What the history went through. */
  readonly marks: ReadonlySet<string>;
}

export function playHistory(happenings: readonly Happening[]): Played {
  const history = new History();
  for (const happening of happenings) history.happen(happening);
  history.end();
  return history;
}

class History {
  readonly breaches: string[] = [];
  readonly marks = new Set<string>();
  #shard = emptyShard();
  #nowMs = 0;
  #ticket = 0;
  #ids = 0;
  readonly #clients: Client[] = Array.from({ length: 6 }, (_, at) => ({
    groupId: GROUPS[at % 2] as string,
    instanceId: at < 2 ? `i${at}` : undefined,
    memberId: "",
    generation: -1,
    leads: [],
    words: "t",
    next: "join",
  }));
  readonly #asked = new Map<Ticket, Asked>();
  /** The log, of which the part up to `#committed` will outlive any failure. */
  readonly #log: CoordinationRecord[] = [];
  #committed = 0;
  /** Answers that wait for the log before them to be committed. */
  #held: GroupReply[] = [];
  /** By group and place: what was committed last, as its answer said. */
  readonly #offsets = new Map<string, number>();
  /** By group: the generation of which the last assignment was told. */
  readonly #generations = new Map<string, number>();
  /** By group and generation: which of the leader's words the members were told. */
  readonly #assignedBy = new Map<string, string>();
  /** By group, generation and part: which instance or member owns it. */
  readonly #owners = new Map<string, string>();

  happen({ what, client: at, number }: Happening): void {
    const client = this.#clients[at % this.#clients.length] as Client;
    if (what === "everyone goes on") this.#everyoneGoesOn(number);
    else this.#happenTo(client, what, number);
    this.#compareWithRebuilt();
  }

  #everyoneGoesOn(number: number): void {
    for (const client of this.#clients) this.#happenTo(client, "go on", number);
    this.#pass(100);
    this.#commit();
  }

  #happenTo(client: Client, what: What, number: number): void {
    const command = this.#commandOf(what, client, number);
    if (command !== undefined) {
      const ticket = ++this.#ticket;
      this.#asked.set(ticket, { command, client });
      this.#take(this.#shard.step(command, ticket, this.#now()));
    } else if (what === "go on") {
      if (!this.#isWaiting(client)) this.#happenTo(client, client.next, number);
    } else if (what === "forget") {
      this.#forget(number);
    } else if (what === "pass") {
      this.#pass(number * 40);
    } else if (what === "commit the log") {
      this.#commit();
    } else {
      this.#fail();
    }
  }

  /** All members stop: whoever waits has to be answered in the end. */
  end(): void {
    this.#pass(CONFIG.sessionMsMax * 2);
    this.#commit();
    for (const [ticket, { command }] of this.#asked) {
      this.breaches.push(`ticket ${ticket} of a ${command.kind} was never answered`);
    }
    this.#compareWithRebuilt();
  }

  #commandOf(what: What, client: Client, number: number): GroupCommand | undefined {
    const { groupId, memberId, instanceId, generation } = client;
    const topic = TOPICS[number % 2] as string;
    const offset = { partition: 0, offset: number, leaderEpoch: -1, metadata: "" };
    const topics = [{ topic, partitions: [offset] }];
    const retentionMs = undefined;
    switch (what) {
      case "join with other words":
        client.words = `t,${number}`;
        return this.#joinOf(client, memberId, number);
      case "join":
        return this.#joinOf(client, memberId, number);
      case "join anew":
        return this.#joinOf(client, "", number);
      case "sync":
        return this.#syncOf(client);
      case "heartbeat":
        return { kind: "heartbeat", groupId, memberId, instanceId, generation };
      case "leave":
        return { kind: "leave", groupId, members: [{ memberId, instanceId }] };
      case "commit":
        return { kind: "commit", groupId, memberId, instanceId, generation, retentionMs, topics };
      case "commit as nobody":
        return { ...this.#nobody(groupId), kind: "commit", retentionMs, topics };
      case "fetch":
        return { kind: "fetch-offsets", groupId, topics: undefined };
      case "delete":
        return { kind: "delete-group", groupId };
      case "delete offsets":
        return { kind: "delete-offsets", groupId, topics: [{ topic, partitions: [0] }] };
      case "delete topic":
        return { kind: "topics-deleted", topics: [topic] };
      case "everyone goes on":
      case "go on":
      case "forget":
      case "pass":
      case "commit the log":
      case "fail":
        return undefined;
      default:
        return unreachable(what);
    }
  }

  #isWaiting(client: Client): boolean {
    return [...this.#asked.values()].some((asked) => asked.client === client);
  }

  #nobody(groupId: string): Pick<GroupCommand & { kind: "commit" }, NobodyKey> {
    return { groupId, memberId: "", instanceId: undefined, generation: -1 };
  }

  #joinOf(client: Client, memberId: string, number: number): GroupCommand {
    const { groupId, instanceId, words } = client;
    const metadata = subscriptionTo(words.split(","));
    return {
      kind: "join",
      groupId,
      memberId,
      instanceId,
      newMemberId: `m${++this.#ids}`,
      requiresKnownMemberId: number % 3 > 0,
      supportsSkippingAssignment: number % 2 === 0,
      sessionTimeoutMs: 1_000 + (number % 3) * 500,
      rebalanceTimeoutMs: 2_000,
      protocolType: "consumer",
      protocols: [
        { name: number % 5 === 0 ? "sticky" : "range", metadata },
        { name: number % 5 === 0 ? "range" : "sticky", metadata },
      ],
      clientId: "c",
      clientHost: "h",
    };
  }

  /** A leader gives every member a part of its own, marked with the ticket of this sync. */
  #syncOf(client: Client): GroupCommand {
    const { groupId, memberId, instanceId, generation, leads } = client;
    const assignments = leads.map((id, at) => ({
      memberId: id,
      assignment: bytesOf(`${this.#ticket + 1}:${at}`),
    }));
    const rest = { protocolType: undefined, protocolName: undefined, assignments };
    return { kind: "sync", groupId, memberId, instanceId, generation, ...rest };
  }

  #forget(number: number): void {
    const parked = [...this.#asked.keys()].filter(
      (ticket) => !this.#held.some((reply) => reply.ticket === ticket),
    );
    const ticket = parked[number % Math.max(parked.length, 1)];
    if (ticket === undefined) return;
    this.#asked.delete(ticket);
    this.marks.add("forgotten");
    this.#take(this.#shard.forget(ticket, this.#now()));
  }

  #pass(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    for (;;) {
      const nextMs = this.#shard.nextDeadlineMs;
      if (nextMs === undefined || nextMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      this.#take(this.#shard.tick(this.#now()));
    }
    this.#nowMs = untilMs;
  }

  #take(step: GroupStep): void {
    this.#log.push(...step.records);
    this.#held.push(...step.replies);
  }

  #commit(): void {
    this.#committed = this.#log.length;
    const released = this.#held;
    this.#held = [];
    for (const { ticket, response } of released) this.#hear(ticket, response);
  }

  /** The coordinator is gone, with everything that was not committed. */
  #fail(): void {
    if (this.#held.length > 0) this.marks.add("answers lost");
    if (this.#log.length > this.#committed) this.marks.add("records lost");
    this.#held = [];
    this.#asked.clear();
    this.#log.length = this.#committed;
    this.#shard = rebuilt(this.#log);
    this.#shard.loaded(this.#now());
  }

  #hear(ticket: Ticket, response: GroupResponse): void {
    const asked = this.#asked.get(ticket);
    // Forgotten after its answer was decided, or answered twice.
    if (asked === undefined) return;
    this.#asked.delete(ticket);
    const { command, client } = asked;
    if ("error" in response && response.error !== undefined) {
      this.marks.add(response.error);
      client.next = "join";
      if (["UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID"].includes(response.error))
        client.memberId = "";
    } else if (response.kind === "sync") {
      client.next = "heartbeat";
    }
    if (command.kind !== response.kind) this.breaches.push(`${command.kind}: ${response.kind}`);
    if (response.kind === "join") this.#hearJoin(client, response);
    else if (response.kind === "sync") this.#hearSync(asked, response);
    else this.#hearOfOffsets(command, response);
  }

  #hearJoin(client: Client, response: GroupResponse & { kind: "join" }): void {
    const { error, memberId, generation, members, skipAssignment } = response;
    if (error === "MEMBER_ID_REQUIRED") client.memberId = memberId;
    if (error !== undefined) return;
    client.next = "sync";
    client.memberId = memberId;
    client.generation = generation;
    if (skipAssignment) this.marks.add("skipped the assignment");
    client.leads = skipAssignment ? [] : members.map((member) => member.memberId);
  }

  #hearSync({ command, client }: Asked, response: GroupResponse & { kind: "sync" }): void {
    if (response.error !== undefined || command.kind !== "sync") return;
    const { groupId, generation, memberId } = command;
    const told = this.#generations.get(groupId) ?? 0;
    if (generation < told) this.breaches.push(`${groupId} went from ${told} to ${generation}`);
    this.#generations.set(groupId, generation);
    const text = textOf(response.assignment);
    if (text === "") return;
    this.marks.add("assigned");
    const [by = "", part] = text.split(":");
    const key = `${groupId}/${generation}`;
    const before = this.#assignedBy.get(key) ?? by;
    if (before !== by) this.breaches.push(`${key} was assigned by ${before} and by ${by}`);
    this.#assignedBy.set(key, by);
    const owner = client.instanceId ?? memberId;
    const other = this.#owners.get(`${key}/${part}`) ?? owner;
    if (other !== owner) this.breaches.push(`${key}: ${other} and ${owner} own part ${part}`);
    this.#owners.set(`${key}/${part}`, owner);
    if (part === "1") this.marks.add("assigned to two");
  }

  #hearOfOffsets(command: GroupCommand, response: GroupResponse): void {
    if (command.kind === "commit" && response.kind === "commit") {
      if (response.error !== undefined) return;
      this.marks.add("committed");
      for (const { topic, partitions } of command.topics) {
        for (const { offset } of partitions)
          this.#offsets.set(`${command.groupId}/${topic}`, offset);
      }
    } else if (command.kind === "fetch-offsets" && response.kind === "fetch-offsets") {
      this.#compareOffsets(command.groupId, response);
    } else if (command.kind === "delete-group" && response.kind === "delete-group") {
      if (response.error !== undefined) return;
      this.marks.add("deleted");
      for (const topic of TOPICS) this.#offsets.delete(`${command.groupId}/${topic}`);
      this.#forgetGenerations(command.groupId);
    } else if (command.kind === "delete-offsets" && response.kind === "delete-offsets") {
      for (const { topic, partitions } of response.topics) {
        if (partitions[0]?.error === undefined) this.#offsets.delete(`${command.groupId}/${topic}`);
      }
    } else if (command.kind === "topics-deleted") {
      for (const topic of command.topics) {
        for (const groupId of GROUPS) this.#offsets.delete(`${groupId}/${topic}`);
      }
    }
  }

  /** A group that is deleted begins at generation 1 again. */
  #forgetGenerations(groupId: string): void {
    this.#generations.delete(groupId);
    for (const map of [this.#assignedBy, this.#owners]) {
      for (const key of [...map.keys()]) if (key.startsWith(`${groupId}/`)) map.delete(key);
    }
  }

  #compareOffsets(groupId: string, response: GroupResponse & { kind: "fetch-offsets" }): void {
    for (const topic of TOPICS) {
      const found = response.topics.find((other) => other.topic === topic)?.partitions[0]?.offset;
      const expected = this.#offsets.get(`${groupId}/${topic}`);
      if (found !== undefined) this.marks.add("fetched an offset");
      if (found === expected) continue;
      this.breaches.push(`${groupId} ${topic} is at ${found}, and ${expected} was committed`);
    }
  }

  /** A shard that is rebuilt from the log equals this one, as far as anything of it is durable. */
  #compareWithRebuilt(): void {
    const other = rebuilt(this.#log);
    for (const groupId of GROUPS) {
      const own = ask(this.#shard, { kind: "describe", groupId });
      const isSettled = own.kind === "describe" && (own.state === "Stable" || own.generation === 0);
      if (isSettled && own.generation > 0) {
        this.#compare(own, ask(other, { kind: "describe", groupId }));
      }
      const command = { kind: "fetch-offsets", groupId, topics: undefined } as const;
      this.#compare(sorted(ask(this.#shard, command)), sorted(ask(other, command)));
    }
  }

  #compare(own: unknown, other: unknown): void {
    const [one, two] = [JSON.stringify(own), JSON.stringify(other)];
    if (one !== two) this.breaches.push(`${one} is ${two} when it is rebuilt`);
  }

  #now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.#nowMs, wallMs: 1_000_000 + this.#nowMs };
  }
}

type NobodyKey = "groupId" | "memberId" | "instanceId" | "generation";

function emptyShard(): GroupShard {
  const shard = new GroupShard(CONFIG);
  shard.loaded({ monotonicMs: 0, wallMs: 1_000_000 });
  return shard;
}

function rebuilt(log: readonly CoordinationRecord[]): GroupShard {
  const shard = new GroupShard(CONFIG);
  for (const record of log) shard.replay(record);
  return shard;
}

/** Asks for what can be told at once. */
function ask(shard: GroupShard, command: GroupCommand): GroupResponse {
  const { replies } = shard.step(command, -1, { monotonicMs: 0, wallMs: 0 });
  return (replies[0] as GroupReply).response;
}

function sorted(response: GroupResponse): unknown {
  if (response.kind !== "fetch-offsets") return response;
  return [...response.topics].sort((a, b) => (a.topic < b.topic ? -1 : 1));
}
