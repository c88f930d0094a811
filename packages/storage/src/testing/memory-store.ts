/** A key-value store in memory that may lose, from the end, what was not synced. For tests. */
import type { KeyValueOperation, KeyValueStore } from "@strandline/platform";
import type { Choose } from "./memory-file-system.js";

type Batch = readonly KeyValueOperation[];

export class MemoryStore implements KeyValueStore {
  #entries = new Map<string, Uint8Array>();
  readonly #durable = new Map<string, Uint8Array>();
  #unsynced: Batch[] = [];
  #isDead = false;
  writeCount = 0;
  /** Called before each write; fails it by throwing. */
  before: (() => void) | undefined;

  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#step();
    return this.#entries.get(key);
  }

  async write(operations: Batch, options: { readonly sync: boolean }): Promise<void> {
    await this.#step();
    this.writeCount += 1;
    this.before?.();
    apply(this.#entries, operations);
    this.#unsynced.push(operations);
    if (!options.sync) return;
    for (const batch of this.#unsynced) apply(this.#durable, batch);
    this.#unsynced = [];
  }

  async range(from: string, to: string): Promise<(readonly [string, Uint8Array])[]> {
    await this.#step();
    const inside = [...this.#entries].filter(([key]) => key >= from && key < to);
    return inside.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  keys(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** Another store with the same contents, all durable. */
  copy(): MemoryStore {
    const next = new MemoryStore();
    for (const [key, value] of this.#entries) {
      next.#entries.set(key, value);
      next.#durable.set(key, value);
    }
    return next;
  }

  /** The process was killed: nothing is lost, but an old user only gets errors. */
  kill(): MemoryStore {
    this.#isDead = true;
    const next = new MemoryStore();
    next.#entries = new Map(this.#entries);
    for (const [key, value] of this.#durable) next.#durable.set(key, value);
    next.#unsynced = [...this.#unsynced];
    return next;
  }

  crash(choose: Choose): MemoryStore {
    this.#isDead = true;
    const next = new MemoryStore();
    const kept = choose(this.#unsynced.length + 1);
    for (const [key, value] of this.#durable) next.#durable.set(key, value);
    for (const batch of this.#unsynced.slice(0, kept)) apply(next.#durable, batch);
    next.#entries = new Map(next.#durable);
    return next;
  }

  async #step(): Promise<void> {
    await Promise.resolve();
    if (this.#isDead) throw Object.assign(new Error("the store is gone"), { code: "ECRASHED" });
  }
}

function apply(entries: Map<string, Uint8Array>, operations: Batch): void {
  for (const operation of operations) {
    if (operation.kind === "put") entries.set(operation.key, operation.value);
    else entries.delete(operation.key);
  }
}
