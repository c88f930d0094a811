/**
 * Conversations with a small cluster, as text: a line that starts with "> " is a command, what
 * follows it is what the servers said and did. `play` runs the commands of such a text and writes
 * it anew; a test compares the two.
 *
 * A server does nothing by itself: `work` lets it handle one Ready, `deliver` hands over what is in
 * flight, `settle` does both until all is quiet. The commands are the methods below.
 */
import type { Entry, RaftMessage, Ready } from "../index.js";
import { decodeVoters } from "../index.js";
import { bytesOf, Server, textOf } from "./server.js";

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

type Command = (...words: readonly string[]) => void;

class Rig {
  readonly #servers = new Map<number, Server>();
  #flight: RaftMessage[] = [];
  /** Links that lose everything, as "from>to". */
  readonly #cuts = new Set<string>();
  #isQuiet = false;
  #said: string[] = [];

  readonly #commands: ReadonlyMap<string, Command> = new Map<string, Command>([
    ["cluster", (...words): void => this.#cluster(words)],
    ["join", (id): void => this.#start(Number(id), [])],
    ["tick", (who, count = "1"): void => this.#tick(who, Number(count))],
    ["campaign", (id): void => this.#server(id).node.campaign()],
    ["propose", (id, ...texts): void => this.#propose(id, texts)],
    ["add", (id, who): void => this.#change(id, "add", who)],
    ["remove", (id, who): void => this.#change(id, "remove", who)],
    ["transfer", (id, to): void => this.#server(id).node.transferLeadership(Number(to))],
    ["read", (id, context): void => this.#read(id, context)],
    ["peer-lost", (id, peer): void => this.#server(id).node.peerLost(Number(peer))],
    ["compact", (id): void => this.#compact(id)],
    ["restart", (id): void => this.#restart(id)],
    ["replace-disk", (id): void => this.#replaceDisk(this.#server(id))],
    ["work", (...ids): void => this.#each(ids, (server) => this.#work(server))],
    ["deliver", (...links): void => this.#deliver(links)],
    ["drop", (...links): void => this.#drop(links)],
    ["duplicate", (): void => void this.#flight.push(...this.#flight)],
    ["cut", (...links): void => this.#cut(links)],
    ["heal", (): void => this.#cuts.clear()],
    ["settle", (): void => this.#settle()],
    ["quietly", (...words): void => this.#quietly(words)],
    ["pass", (count = "1"): void => this.#pass(Number(count))],
    ["status", (): void => this.#status()],
    ["log", (...ids): void => this.#each(ids, (server) => this.#log(server))],
    ["peers", (id): void => this.#peers(id)],
  ]);

  run(line: string): readonly string[] {
    const [name = "", ...words] = line.trim().split(/\s+/);
    const command = this.#commands.get(name);
    if (command === undefined) throw new Error(`no command "${name}"`);
    this.#said = [];
    command(...words);
    return this.#said;
  }

  /** `cluster 3`, or `cluster 3 inflight=1 bytes=100`: servers 1 to 3, all of them voters. */
  #cluster(words: readonly string[]): void {
    const settings = new Map(words.slice(1).map((word) => word.split("=") as [string, string]));
    const voters = Array.from({ length: Number(words[0]) }, (_, at) => at + 1);
    for (const id of voters) this.#start(id, voters, settings);
  }

  #start(id: number, voters: readonly number[], settings?: ReadonlyMap<string, string>): void {
    const server = new Server({
      self: id,
      voters,
      electionTicks: 10,
      heartbeatTicks: 2,
      entriesBytesMax: Number(settings?.get("bytes") ?? 1_000),
      inflightMax: Number(settings?.get("inflight") ?? 4),
      seed: 1,
    });
    this.#servers.set(id, server);
  }

  #tick(who = "all", count: number): void {
    const servers = who === "all" ? [...this.#servers.values()] : [this.#server(who)];
    for (let tick = 0; tick < count; tick += 1) for (const server of servers) server.tick();
  }

  #propose(id: string | undefined, texts: readonly string[]): void {
    for (const text of texts) {
      const proposed = this.#server(id).node.propose(bytesOf(text));
      if (typeof proposed === "string") this.#say(`${id} answers: ${proposed}`);
    }
  }

  #change(id: string | undefined, kind: "add" | "remove", who: string | undefined): void {
    const proposed = this.#server(id).node.proposeConfiguration({ kind, id: Number(who) });
    if (typeof proposed === "string") this.#say(`${id} answers: ${proposed}`);
  }

  #read(id: string | undefined, context: string | undefined): void {
    const isAsked = this.#server(id).node.readIndex(Number(context));
    if (!isAsked) this.#say(`${id} knows no leader`);
  }

  #compact(id: string | undefined): void {
    const snapshot = this.#server(id).compact();
    if (snapshot === undefined) this.#say(`${id} has nothing to compact`);
    else this.#say(`${id} keeps a snapshot of ${snapshot.index}/${snapshot.term}`);
  }

  #restart(id: string | undefined): void {
    const server = this.#server(id);
    server.restart(true, 1);
    const { term, commit, lastIndex } = server.node;
    this.#say(`${id} is back at term ${term}, commit ${commit}, last ${lastIndex}`);
  }

  /** As a shell does it: all others are asked how far they are, and forget what the server held. */
  #replaceDisk(server: Server): void {
    const others = [...this.#servers.values()].filter((other) => other !== server);
    const term = Math.max(...others.map(({ node }) => node.term));
    const lastIndex = Math.max(...others.map(({ node }) => node.lastIndex));
    server.replaceDisk({ term, lastIndex }, 1);
    for (const { node } of others) node.forget(server.id);
    this.#say(`${server.id} is empty, and silent up to ${lastIndex}`);
  }

  #each(ids: readonly string[], act: (server: Server) => void): void {
    for (const id of ids) act(this.#server(id));
  }

  /** One Ready: persist, send, apply. */
  #work(server: Server): void {
    const ready = server.begin();
    if (ready === undefined) return;
    const { id } = server;
    this.#sayPersisted(id, ready);
    server.persist(ready);
    for (const message of ready.messages) {
      this.#say(sentence(message));
      if (this.#cuts.has(`${message.from}>${message.to}`)) this.#say("    … lost");
      else this.#flight.push(message);
    }
    server.finish(ready);
    const { committed, readStates } = ready;
    if (ready.snapshot !== undefined) this.#say(`${id} applies the snapshot`);
    if (committed.length > 0) this.#say(`${id} applies ${committed.map(entryText).join(" ")}`);
    for (const { context, index } of readStates) this.#say(`${id} may read ${context} at ${index}`);
  }

  #sayPersisted(id: number, ready: Ready): void {
    const { hardState, snapshot, entries } = ready;
    const parts: string[] = [];
    if (snapshot !== undefined) parts.push(`snapshot ${snapshot.index}/${snapshot.term}`);
    if (entries.length > 0) parts.push(entries.map(entryText).join(" "));
    if (hardState !== undefined) {
      const { term, vote, commit } = hardState;
      parts.push(`term ${term} vote ${vote === -1 ? "none" : vote} commit ${commit}`);
    }
    const leader = ready.leader === -1 ? "" : ` of ${ready.leader}`;
    const role = ready.role === "leader" ? "leader" : `${ready.role}${leader}`;
    if (parts.length > 0) this.#say(`${id} (${role}) persists ${parts.join(", ")}`);
  }

  #deliver(links: readonly string[]): void {
    const isChosen = chooser(links);
    const delivered = this.#flight.filter(isChosen);
    this.#flight = this.#flight.filter((message) => !isChosen(message));
    for (const message of delivered) this.#servers.get(message.to)?.receive(message);
  }

  #drop(links: readonly string[]): void {
    const isChosen = chooser(links);
    const dropped = this.#flight.filter(isChosen);
    this.#flight = this.#flight.filter((message) => !isChosen(message));
    for (const message of dropped) this.#say(`lost: ${sentence(message)}`);
  }

  /** `1>2` loses what 1 sends to 2; `1-2` both ways; `1` everything from and to 1. */
  #cut(links: readonly string[]): void {
    for (const link of links) {
      const [a = "", b = ""] = link.split(/[->]/);
      for (const other of b === "" ? [...this.#servers.keys()].map(String) : [b]) {
        this.#cuts.add(`${a}>${other}`);
        if (!link.includes(">")) this.#cuts.add(`${other}>${a}`);
      }
    }
  }

  #settle(): void {
    for (let turn = 0; turn < 100; turn += 1) {
      const isAtRest = [...this.#servers.values()].every(({ node }) => !node.hasReady());
      if (isAtRest && this.#flight.length === 0) return;
      for (const server of this.#servers.values()) this.#work(server);
      this.#deliver([]);
    }
    throw new Error("the servers never come to rest");
  }

  /** Runs another command without telling what it did. */
  #quietly(words: readonly string[]): void {
    this.#isQuiet = true;
    this.run(words.join(" "));
    this.#isQuiet = false;
  }

  /** Time passes for everyone, evenly, with everything delivered. */
  #pass(count: number): void {
    for (let tick = 0; tick < count; tick += 1) {
      this.#tick("all", 1);
      this.#settle();
    }
  }

  #status(): void {
    for (const { id, node } of this.#servers.values()) {
      const leader = node.leader === -1 ? "no leader" : `leader ${node.leader}`;
      const { role, term, commit, lastIndex, voters } = node;
      const place = `commit ${commit} last ${lastIndex} voters ${voters.join(",")}`;
      this.#say(`${id}: ${role}, term ${term}, ${leader}, ${place}`);
    }
  }

  #log({ id, disk }: Server): void {
    const { snapshot, entries } = disk;
    const base = snapshot === undefined ? "" : `snapshot ${snapshot.index}/${snapshot.term} `;
    this.#say(`${id}: ${base}${entries.map(entryText).join(" ")}`.trimEnd());
  }

  #peers(id: string | undefined): void {
    for (const peer of this.#server(id).node.peers) {
      this.#say(`${peer.id}: ${peer.state}, match ${peer.matchIndex}, silent ${peer.silentTicks}`);
    }
  }

  #server(id: string | undefined): Server {
    const server = this.#servers.get(Number(id));
    if (server === undefined) throw new Error(`no server ${id}`);
    return server;
  }

  #say(line: string): void {
    if (!this.#isQuiet) this.#said.push(line);
  }
}

/** Chooses messages by links like "1>2"; no link chooses all. */
function chooser(links: readonly string[]): (message: RaftMessage) => boolean {
  return ({ from, to }) => links.length === 0 || links.includes(`${from}>${to}`);
}

function entryText({ index, term, type, data }: Entry): string {
  const content = type === "data" ? textOf(data) : `voters=${decodeVoters(data)?.join(",")}`;
  return `${index}/${term}${content === "" ? "" : `:${content}`}`;
}

/** "1 → 2  append after 3/1 …": the scalars of a message by name, its entries in short. */
function sentence(message: RaftMessage): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(message)) {
    if (["kind", "from", "to", "term"].includes(name)) continue;
    if (typeof value === "number") parts.push(`${name}=${value}`);
    else if (value === true) parts.push(name);
    else if (value === false) parts.push(`not ${name}`);
  }
  if (message.kind === "append") parts.push(`[${message.entries.map(entryText).join(" ")}]`);
  if (message.kind === "install-snapshot") {
    const { index, term, voters } = message.snapshot;
    parts.push(`${index}/${term} voters=${voters.join(",")}`);
  }
  const { from, to, term, kind } = message;
  return `${from} → ${to}  ${kind} term=${term} ${parts.join(" ")}`.trimEnd();
}
