/**
 * A server for the tests of this package: a raft node, a disk that keeps what was persisted, and a
 * state machine that is the list of what was applied. It is the shell's loop in its three steps,
 * so that a test can crash it between any two of them.
 */
import {
  type Entry,
  type HardState,
  type RaftMessage,
  RaftNode,
  type RaftOptions,
  type Ready,
  type Snapshot,
} from "../index.js";

export type ServerOptions = Omit<RaftOptions, "restored" | "applied">;

/** What survives a crash. */
export interface Disk {
  hardState: HardState;
  /** Written without sync: a crash may take it back to `hardState`. */
  unsynced: HardState | undefined;
  snapshot: Snapshot | undefined;
  entries: Entry[];
}

export interface Applied {
  readonly index: number;
  readonly term: number;
  readonly text: string;
}

export class Server {
  readonly id: number;
  readonly disk: Disk;
  node: RaftNode;
  /** The state machine: everything applied, in order. A restart rebuilds it from the disk. */
  machine: Applied[] = [];
  /** The Ready that is being worked on. */
  ready: Ready | undefined;
  /** With a new disk, until the log has reached this index: it takes no part in elections. */
  silentUntil = 0;
  #options: ServerOptions;

  constructor(options: ServerOptions) {
    this.id = options.self;
    this.#options = options;
    const hardState = { term: 0, vote: -1, commit: 0 };
    this.disk = { hardState, unsynced: undefined, snapshot: undefined, entries: [] };
    this.node = this.#boot();
  }

  get isSilent(): boolean {
    return this.silentUntil > 0;
  }

  tick(): void {
    if (!this.isSilent) this.node.tick();
  }

  receive(message: RaftMessage): void {
    const { kind } = message;
    const isElection = kind === "vote" || kind === "pre-vote" || kind === "timeout-now";
    if (!this.isSilent || !isElection) this.node.step(message);
  }

  /** Begins the next Ready; undefined when there is none, or one is being worked on. */
  begin(): Ready | undefined {
    if (this.ready !== undefined || !this.node.hasReady()) return undefined;
    this.ready = this.node.ready();
    return this.ready;
  }

  persist(ready: Ready): void {
    const { disk } = this;
    if (ready.snapshot !== undefined) {
      disk.snapshot = ready.snapshot;
      disk.entries = [];
    }
    const first = ready.entries[0];
    if (first !== undefined) {
      disk.entries = disk.entries.filter((entry) => entry.index < first.index);
      disk.entries.push(...ready.entries);
    }
    if (ready.hardState !== undefined) disk.unsynced = ready.hardState;
    if (ready.mustSync) this.sync();
  }

  sync(): void {
    this.disk.hardState = this.disk.unsynced ?? this.disk.hardState;
    this.disk.unsynced = undefined;
  }

  /** Applies and advances; what was sent before belongs to the network. */
  finish(ready: Ready): void {
    if (ready.snapshot !== undefined) this.machine = machineOf(ready.snapshot);
    for (const { index, term, data } of ready.committed) {
      this.machine.push({ index, term, text: textOf(data) });
    }
    this.ready = undefined;
    this.node.advance(ready);
    if (this.node.lastIndex >= this.silentUntil) this.silentUntil = 0;
  }

  /** All three steps at once. Returns the messages to send. */
  work(): readonly RaftMessage[] {
    const ready = this.begin();
    if (ready === undefined) return [];
    this.persist(ready);
    this.finish(ready);
    return ready.messages;
  }

  /** Snapshots the state machine at what is applied, keeps it, and drops the log below. */
  compact(): Snapshot | undefined {
    const { node, disk } = this;
    const snapshot = node.snapshotAt(node.applied, bytesOf(JSON.stringify(this.machine)));
    if (snapshot === undefined || snapshot.index <= node.snapshotIndex) return undefined;
    disk.snapshot = snapshot;
    disk.entries = disk.entries.filter((entry) => entry.index > snapshot.index);
    node.compact(snapshot);
    return snapshot;
  }

  /** Back from the disk alone. What was not synced is lost when `losesUnsynced`. */
  restart(losesUnsynced: boolean, seed: number): void {
    if (!losesUnsynced) this.sync();
    this.disk.unsynced = undefined;
    this.ready = undefined;
    this.#options = { ...this.#options, seed };
    this.node = this.#boot();
  }

  /**
   * A new, empty disk. The server has heard from all others how far they are: in `term` at least,
   * and with everything that it may have acknowledged below `lastIndex`.
   */
  replaceDisk(heard: { readonly term: number; readonly lastIndex: number }, seed: number): void {
    this.disk.hardState = { term: heard.term, vote: -1, commit: 0 };
    this.disk.snapshot = undefined;
    this.disk.entries = [];
    this.silentUntil = heard.lastIndex;
    this.restart(true, seed);
  }

  /** Term of the entry on disk at `index`; undefined when the disk does not hold it. */
  diskTermAt(index: number): number | undefined {
    const { snapshot, entries } = this.disk;
    if (snapshot?.index === index) return snapshot.term;
    return entries.find((entry) => entry.index === index)?.term;
  }

  #boot(): RaftNode {
    const { hardState, snapshot, entries } = this.disk;
    this.machine = snapshot === undefined ? [] : machineOf(snapshot);
    const kept = { hardState, entries: [...entries] };
    const restored = snapshot === undefined ? kept : { ...kept, snapshot };
    return new RaftNode({ ...this.#options, restored, applied: snapshot?.index ?? 0 });
  }
}

export function textOf(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function machineOf(snapshot: Snapshot): Applied[] {
  return JSON.parse(textOf(snapshot.data)) as Applied[];
}
