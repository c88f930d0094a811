/**
 * A store whose writes go out together: one is in flight, and what arrives meanwhile goes out as
 * the next one, in the order it came. A thousand logs that are opened at once then cost a few
 * writes and syncs instead of a thousand each.
 *
 * A write keeps what it was promised: all of its operations or none, and synced if it asked for it.
 * It may be synced, or fail, with others.
 */
import type { KeyValueOperation, KeyValueStore } from "@strandline/platform";

/** A group takes no write more once it is this large: a store holds a write in memory at once. */
const GROUP_BYTES_MAX = 1024 * 1024;

interface Group {
  readonly operations: KeyValueOperation[];
  bytes: number;
  sync: boolean;
  readonly written: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class GatheredStore implements KeyValueStore {
  readonly #store: KeyValueStore;
  readonly #groups: Group[] = [];
  #running: Promise<void> | undefined;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#store.get(key);
  }

  range(from: string, to: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    return this.#store.range(from, to);
  }

  write(
    operations: readonly KeyValueOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    let group = this.#groups.at(-1);
    if (group === undefined || group.bytes >= GROUP_BYTES_MAX) {
      group = newGroup();
      this.#groups.push(group);
    }
    for (const operation of operations) {
      group.operations.push(operation);
      if (operation.kind === "put") group.bytes += operation.value.length;
    }
    group.sync ||= options.sync;
    this.#running ??= this.#run();
    return group.written;
  }

  /** Writes that were given before go out first. */
  async close(): Promise<void> {
    await this.#running;
    await this.#store.close();
  }

  async #run(): Promise<void> {
    let group = this.#groups.shift();
    while (group !== undefined) {
      const { operations, sync, resolve, reject } = group;
      try {
        await this.#store.write(operations, { sync });
        resolve();
      } catch (error) {
        reject(error);
      }
      group = this.#groups.shift();
    }
    this.#running = undefined;
  }
}

function newGroup(): Group {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const written = new Promise<void>((onWritten, onFailed) => {
    resolve = onWritten;
    reject = onFailed;
  });
  return { operations: [], bytes: 0, sync: false, written, resolve, reject };
}
