/**
 * Sees everything that the servers of a simulation keep, send and apply, and throws a sentence when
 * it contradicts a promise of raft. It remembers across crashes, which the servers do not.
 */
import type { AppendAnswer, Entry, RaftMessage, Ready } from "../index.js";
import { decodeVoters } from "../index.js";
import { type Server, textOf } from "./server.js";

interface Seen {
  readonly previousTerm: number;
  readonly content: string;
}

export class Oracle {
  readonly #servers: ReadonlyMap<number, Server>;
  readonly #leaderOfTerm = new Map<number, number>();
  /** "node/term" → the candidate that got its vote. */
  readonly #votes = new Map<string, number>();
  /** "index/term" → what was ever seen there. */
  readonly #entries = new Map<string, Seen>();
  /** By index: the term of the committed entry, and the term in which that was first seen. */
  readonly #committed = new Map<number, { readonly term: number; readonly seenIn: number }>();
  readonly #applied: string[] = [];
  readonly #commitOf = new Map<number, number>();
  readonly #termOf = new Map<number, number>();
  readonly #checkedApplied = new Map<number, number>();
  readonly #persisted = new WeakSet<Ready>();
  /** "node/context" → the highest index committed anywhere when the read was asked for. */
  readonly #reads = new Map<string, number>();
  #commitMax = 0;
  /** How often the rarer things were seen: a run that never does them proves nothing about them. */
  readonly marks = new Map<string, number>();

  constructor(servers: ReadonlyMap<number, Server>) {
    this.#servers = servers;
  }

  isPersisted(ready: Ready): boolean {
    return this.#persisted.has(ready);
  }

  mark(name: string): void {
    this.marks.set(name, (this.marks.get(name) ?? 0) + 1);
  }

  /** Everything that can be seen from outside, after each step. */
  look(): void {
    for (const server of this.#servers.values()) {
      this.#checkLeader(server);
      this.#checkProgress(server);
      this.#checkMachine(server);
    }
  }

  noteRestart(server: Server): void {
    this.mark("restart");
    const { node, disk } = server;
    this.#commitOf.set(server.id, node.commit);
    this.#checkedApplied.set(server.id, 0);
    const term = this.#termOf.get(server.id) ?? 0;
    // The term in memory may have been newer, but nobody was told of it.
    this.#termOf.set(server.id, Math.min(term, disk.hardState.term));
  }

  /** What that server promised is void; its replacement makes up for it, or others notice. */
  noteWiped(server: Server): void {
    this.noteRestart(server);
    this.mark("disk replaced");
    this.#termOf.set(server.id, server.node.term);
    for (const key of this.#votes.keys()) {
      if (key.startsWith(`${server.id}/`)) this.#votes.delete(key);
    }
  }

  notePersisted(server: Server, ready: Ready): void {
    this.#persisted.add(ready);
    if (ready.snapshot !== undefined) this.mark("snapshot installed");
    const first = ready.entries[0];
    if (first === undefined) return;
    this.#checkEntries(server.diskTermAt(first.index - 1) ?? 0, ready.entries);
    const { snapshot, entries } = server.disk;
    let index = snapshot?.index ?? 0;
    for (const entry of entries) {
      index += 1;
      check(entry.index === index, `server ${server.id} has a hole before entry ${entry.index}`);
    }
  }

  noteSent(message: RaftMessage): void {
    this.mark(message.kind);
    if (message.kind === "append") this.#checkEntries(message.prevTerm, message.entries);
    if (message.kind === "vote") this.#checkVote(message.from, message.term, message.from);
    if (message.kind === "vote-answer" && message.granted) {
      this.#checkVote(message.from, message.term, message.to);
    }
    if (message.kind === "append-answer") this.#checkAcknowledged(message);
    const sender = this.#servers.get(message.from);
    const { term = 0 } = sender?.disk.hardState ?? {};
    check(message.term <= term, `server ${message.from} speaks in a term that it could forget`);
  }

  noteReadAsked(server: Server, context: number): void {
    this.#reads.set(`${server.id}/${context}`, this.#commitMax);
  }

  noteReads(server: Server, ready: Ready): void {
    for (const { context, index } of ready.readStates) {
      const least = this.#reads.get(`${server.id}/${context}`) ?? 0;
      this.mark("read");
      check(index >= least, `server ${server.id} reads at ${index}, though ${least} was committed`);
    }
  }

  #checkLeader({ id, node }: Server): void {
    if (node.role !== "leader") return;
    const leader = this.#leaderOfTerm.get(node.term);
    if (leader === undefined) {
      this.#leaderOfTerm.set(node.term, id);
      this.mark("election");
      this.#checkComplete(id);
    } else {
      check(leader === id, `servers ${leader} and ${id} both lead term ${node.term}`);
    }
  }

  /**
   * Leader completeness: who leads a later term has it. (A vote may be under way for so long that
   * it elects the leader of a term that is over.) The log of a fresh leader is on its disk, but for
   * its first entries.
   */
  #checkComplete(id: number): void {
    const server = this.#servers.get(id);
    if (server === undefined) return;
    for (const [index, { term, seenIn }] of this.#committed) {
      const isBelow = index <= (server.disk.snapshot?.index ?? 0);
      if (isBelow || seenIn >= server.node.term) continue;
      const held = server.diskTermAt(index);
      check(held === term, `leader ${id} has not entry ${index} of term ${term}, but ${held}`);
    }
  }

  /** Terms and commit indexes never go back; what a leader commits is durable on a majority. */
  #checkProgress(server: Server): void {
    const { id, node } = server;
    const before = this.#commitOf.get(id) ?? 0;
    check(node.commit >= before, `the commit index of ${id} went from ${before} to ${node.commit}`);
    const term = this.#termOf.get(id) ?? 0;
    check(node.term >= term, `the term of ${id} went from ${term} to ${node.term}`);
    this.#termOf.set(id, node.term);
    if (node.commit === before) return;
    this.#commitOf.set(id, node.commit);
    this.#commitMax = Math.max(this.#commitMax, node.commit);
    if (node.role === "leader") this.#checkQuorum(server);
  }

  #checkQuorum({ id, node }: Server): void {
    const { commit, voters } = node;
    const term = this.#servers.get(id)?.diskTermAt(commit);
    const holders = voters.filter((voter) => {
      const server = this.#servers.get(voter);
      if (server === undefined) return false;
      if ((server.disk.snapshot?.index ?? 0) >= commit) return true;
      return term !== undefined && server.diskTermAt(commit) === term;
    });
    const share = `${holders.length} of ${voters.length} disks`;
    check(holders.length * 2 > voters.length, `leader ${id} commits ${commit} with ${share}`);
  }

  /** State machine safety: whoever applies an index applies the same there. */
  #checkMachine({ id, machine, node }: Server): void {
    const from = Math.min(this.#checkedApplied.get(id) ?? 0, machine.length);
    for (let at = from; at < machine.length; at += 1) {
      const applied = machine[at];
      if (applied === undefined) return;
      const { index, term, text } = applied;
      check(index === at + 1, `server ${id} applies ${index} after ${at}`);
      const content = `${term} ${text}`;
      this.#applied[at] ??= content;
      const known = this.#applied[at];
      check(known === content, `server ${id} applies "${content}" at ${index}, others "${known}"`);
      if (!this.#committed.has(index)) this.#committed.set(index, { term, seenIn: node.term });
    }
    check(machine.length <= node.commit, `server ${id} applied what is not committed`);
    this.#checkedApplied.set(id, machine.length);
  }

  /** Log matching: an index and a term say what is there, and what is before it. */
  #checkEntries(previousTerm: number, entries: readonly Entry[]): void {
    let before = previousTerm;
    for (const { index, term, type, data } of entries) {
      if (type === "configuration") this.mark(`configuration of ${decodeVoters(data)?.length}`);
      const content = `${type} ${textOf(data)}`;
      const key = `${index}/${term}`;
      const seen = this.#entries.get(key);
      if (seen === undefined) {
        this.#entries.set(key, { previousTerm: before, content });
      } else {
        check(seen.content === content, `two entries are both ${key}`);
        check(seen.previousTerm === before, `${key} follows both ${before}, ${seen.previousTerm}`);
      }
      before = term;
    }
  }

  #checkVote(voter: number, term: number, candidate: number): void {
    const key = `${voter}/${term}`;
    const known = this.#votes.get(key) ?? candidate;
    this.#votes.set(key, known);
    check(known === candidate, `server ${voter} votes for ${known} and ${candidate} in ${term}`);
    const { term: kept, vote } = this.#servers.get(voter)?.disk.hardState ?? { term: 0, vote: -1 };
    const isKept = kept > term || (kept === term && vote === candidate);
    check(isKept, `server ${voter} could forget its vote in ${term}`);
  }

  /**
   * What a server acknowledges is on its disk. In a later term a new leader may have replaced it
   * before it was ever written: then the old one has lost the vote of this server already.
   */
  #checkAcknowledged({ from, term, matchIndex }: AppendAnswer): void {
    const disk = this.#servers.get(from)?.disk;
    if (disk === undefined || disk.hardState.term > term) return;
    const last = disk.entries.at(-1)?.index ?? disk.snapshot?.index ?? 0;
    check(matchIndex <= last, `server ${from} acknowledges ${matchIndex} with ${last} on disk`);
  }
}

function check(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}
