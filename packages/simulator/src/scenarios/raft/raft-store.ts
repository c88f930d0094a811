/** Keeps what a raft node asks to be kept, in one key-value store. */
import type { KeyValueOperation, KeyValueStore } from "@strandline/platform";
import type { Entry, HardState, Ready, Restored, Snapshot } from "@strandline/raft";

const ENTRY_PREFIX = "entry/";
const ENTRY_END = "entry0";

export class RaftStore {
  readonly #store: KeyValueStore;
  #firstIndex = 1;
  /** Exclusive. */
  #endIndex = 1;

  private constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /** The store and what it holds; undefined when it is new. */
  static async open(
    store: KeyValueStore,
  ): Promise<{ readonly store: RaftStore; readonly restored: Restored | undefined }> {
    const opened = new RaftStore(store);
    const hard = await store.get("hard");
    const snapshotBytes = await store.get("snapshot");
    const entries = (await store.range(ENTRY_PREFIX, ENTRY_END)).map(([, value]) => {
      return decode<Entry>(value);
    });
    const snapshot = snapshotBytes === undefined ? undefined : decode<Snapshot>(snapshotBytes);
    opened.#firstIndex = entries[0]?.index ?? (snapshot?.index ?? 0) + 1;
    opened.#endIndex = (entries.at(-1)?.index ?? opened.#firstIndex - 1) + 1;
    if (hard === undefined) return { store: opened, restored: undefined };
    const hardState = decode<HardState>(hard);
    const restored = { hardState, entries, ...(snapshot === undefined ? {} : { snapshot }) };
    return { store: opened, restored };
  }

  /** Persists what a `Ready` asks for, in one batch. */
  async persist(ready: Ready, sync: boolean): Promise<void> {
    const operations: KeyValueOperation[] = [];
    if (ready.snapshot !== undefined) {
      this.#dropEntries(operations, this.#firstIndex, this.#endIndex);
      this.#firstIndex = ready.snapshot.index + 1;
      this.#endIndex = this.#firstIndex;
      operations.push(put("snapshot", ready.snapshot));
    }
    const [first] = ready.entries;
    if (first !== undefined) {
      this.#dropEntries(operations, first.index, this.#endIndex);
      for (const entry of ready.entries) operations.push(put(entryKey(entry.index), entry));
      this.#endIndex = first.index + ready.entries.length;
    }
    if (ready.hardState !== undefined) operations.push(put("hard", ready.hardState));
    if (operations.length > 0) await this.#store.write(operations, { sync });
  }

  /** Replaces the entries up to the snapshot's index by it. */
  async compact(snapshot: Snapshot): Promise<void> {
    const operations: KeyValueOperation[] = [put("snapshot", snapshot)];
    this.#dropEntries(operations, this.#firstIndex, snapshot.index + 1);
    this.#firstIndex = Math.max(this.#firstIndex, snapshot.index + 1);
    await this.#store.write(operations, { sync: true });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #dropEntries(operations: KeyValueOperation[], from: number, to: number): void {
    for (let index = from; index < to; index++) {
      operations.push({ kind: "delete", key: entryKey(index) });
    }
  }
}

function entryKey(index: number): string {
  return ENTRY_PREFIX + index.toString().padStart(12, "0");
}

function put(key: string, value: object): KeyValueOperation {
  const replace = (_name: string, part: unknown): unknown => {
    return part instanceof Uint8Array ? { latin1: Buffer.from(part).toString("latin1") } : part;
  };
  return { kind: "put", key, value: Buffer.from(JSON.stringify(plain(value), replace)) };
}

/** A Buffer would turn itself into JSON before the replacer sees it. */
function plain(value: object): object {
  const data: unknown = Reflect.get(value, "data");
  return data instanceof Uint8Array ? { ...value, data: new Uint8Array(data) } : value;
}

function decode<Value>(bytes: Uint8Array): Value {
  const revive = (_name: string, part: unknown): unknown => {
    if (typeof part !== "object" || part === null || !("latin1" in part)) return part;
    return new Uint8Array(Buffer.from(String(part.latin1), "latin1"));
  };
  return JSON.parse(Buffer.from(bytes).toString(), revive) as Value;
}
