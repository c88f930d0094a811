/** A small ordered store whose batches are atomic. Keys sort by their bytes. */
export interface KeyValueStore {
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Applies all operations or none. With `sync` they are durable when the promise resolves;
   * whatever gates a vote or an acknowledgement needs it.
   */
  write(
    operations: readonly KeyValueOperation[],
    options: { readonly sync: boolean },
  ): Promise<void>;
  /** Entries with `from <= key < to`, in key order. Small ranges only: all of it is in memory. */
  range(from: string, to: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]>;
  close(): Promise<void>;
}

export type KeyValueOperation =
  | { readonly kind: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: "delete"; readonly key: string };

/** Opens the store at a path, creating it when missing. Fails when another process holds it. */
export type OpenKeyValueStore = (path: string) => Promise<KeyValueStore>;
