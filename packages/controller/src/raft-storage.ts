/**
 * Keeps what raft must not forget, in a key-value store: hard state, entries, and one snapshot.
 * One `Ready` is one atomic write, synced when a vote or an acknowledgement depends on it.
 *
 * Keys: `hard-state`, `snapshot`, `entry/<16 digits of index>`, `peer/<node id>`, `silent-until`.
 */
import type { KeyValueOperation, KeyValueStore } from "@strandline/platform";
import {
  type Entry,
  type HardState,
  type Ready,
  restoredProblem,
  type Snapshot,
} from "@strandline/raft";

export interface RestoredRaft {
  readonly hardState: HardState;
  readonly snapshot?: Snapshot;
  readonly entries: readonly Entry[];
}

const ENTRY_HEADER_BYTES = 9;

export class RaftStorage {
  readonly #store: KeyValueStore;
  #firstIndex = 1;
  #lastIndex = 0;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /** Undefined for a node that has never taken part. Throws when what is stored cannot be right. */
  async restore(): Promise<RestoredRaft | undefined> {
    const hardState = await this.#store.get("hard-state");
    if (hardState === undefined) return undefined;
    const stored = await this.#store.get("snapshot");
    const snapshot = stored === undefined ? undefined : decodeSnapshot(stored);
    const entries: Entry[] = [];
    for (const [key, value] of await this.#store.range("entry/", "entry0")) {
      entries.push(decodeEntry(Number(key.slice("entry/".length)), value));
    }
    const restored = {
      hardState: parse(hardState) as HardState,
      ...(snapshot === undefined ? {} : { snapshot }),
      entries,
    };
    const problem = restoredProblem(restored);
    if (problem !== undefined) throw new Error(`the stored raft log is damaged: ${problem}`);
    this.#firstIndex = entries[0]?.index ?? (snapshot?.index ?? 0) + 1;
    this.#lastIndex = entries.at(-1)?.index ?? this.#firstIndex - 1;
    return restored;
  }

  async save(ready: Ready): Promise<void> {
    const operations: KeyValueOperation[] = [];
    if (ready.snapshot !== undefined) {
      this.#deleteEntries(operations, this.#firstIndex, this.#lastIndex);
      operations.push({ kind: "put", key: "snapshot", value: encodeSnapshot(ready.snapshot) });
      this.#firstIndex = ready.snapshot.index + 1;
      this.#lastIndex = ready.snapshot.index;
    }
    const first = ready.entries[0];
    if (first !== undefined) {
      const last = (ready.entries.at(-1) as Entry).index;
      this.#deleteEntries(operations, last + 1, this.#lastIndex);
      for (const entry of ready.entries) {
        operations.push({ kind: "put", key: entryKey(entry.index), value: encodeEntry(entry) });
      }
      this.#lastIndex = last;
    }
    if (ready.hardState !== undefined) {
      operations.push({ kind: "put", key: "hard-state", value: text(ready.hardState) });
    }
    if (operations.length > 0) await this.#store.write(operations, { sync: ready.mustSync });
  }

  /** Makes a snapshot durable and drops the entries that it stands for. */
  async compact(snapshot: Snapshot): Promise<void> {
    const operations: KeyValueOperation[] = [
      { kind: "put", key: "snapshot", value: encodeSnapshot(snapshot) },
    ];
    this.#deleteEntries(operations, this.#firstIndex, snapshot.index);
    this.#firstIndex = snapshot.index + 1;
    await this.#store.write(operations, { sync: true });
  }

  /**
   * Begins with a term and an index to reach first: a replaced disk that must not vote in an old
   * term, nor before its log has what the lost one had.
   */
  async begin(hardState: HardState, silentUntilIndex: number): Promise<void> {
    await this.#store.write(
      [
        { kind: "put", key: "hard-state", value: text(hardState) },
        { kind: "put", key: "silent-until", value: text(silentUntilIndex) },
      ],
      { sync: true },
    );
  }

  /** 0 for a node that may vote. */
  async silentUntilIndex(): Promise<number> {
    const stored = await this.#store.get("silent-until");
    return stored === undefined ? 0 : (parse(stored) as number);
  }

  /** The log has caught up. Synced: a vote may follow. */
  async endSilence(): Promise<void> {
    await this.#store.write([{ kind: "delete", key: "silent-until" }], { sync: true });
  }

  /** Directory under which another controller introduced itself; undefined for a new one. */
  async peerDirectory(id: number): Promise<string | undefined> {
    const stored = await this.#store.get(`peer/${id}`);
    return stored === undefined ? undefined : decoder.decode(stored);
  }

  async rememberPeer(id: number, directory: string): Promise<void> {
    await this.#store.write(
      [{ kind: "put", key: `peer/${id}`, value: encoder.encode(directory) }],
      { sync: true },
    );
  }

  #deleteEntries(into: KeyValueOperation[], from: number, to: number): void {
    for (let index = from; index <= to; index += 1) {
      into.push({ kind: "delete", key: entryKey(index) });
    }
  }
}

function entryKey(index: number): string {
  return `entry/${String(index).padStart(16, "0")}`;
}

function encodeEntry(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(ENTRY_HEADER_BYTES + entry.data.length);
  new DataView(bytes.buffer).setFloat64(0, entry.term);
  bytes[8] = entry.type === "configuration" ? 1 : 0;
  bytes.set(entry.data, ENTRY_HEADER_BYTES);
  return bytes;
}

function decodeEntry(index: number, bytes: Uint8Array): Entry {
  return {
    index,
    term: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0),
    type: bytes[8] === 1 ? "configuration" : "data",
    data: bytes.slice(ENTRY_HEADER_BYTES),
  };
}

/** A line of JSON, then the data. */
function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { index, term, voters, data } = snapshot;
  const head = encoder.encode(`${JSON.stringify({ index, term, voters })}\n`);
  const bytes = new Uint8Array(head.length + data.length);
  bytes.set(head);
  bytes.set(data, head.length);
  return bytes;
}

function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const end = bytes.indexOf(10);
  const head = JSON.parse(decoder.decode(bytes.subarray(0, end))) as Omit<Snapshot, "data">;
  return { ...head, data: bytes.slice(end + 1) };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function text(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(decoder.decode(bytes));
}
