/** The key-value store on the disk, by `level`: one directory, one process at a time. */
import type { KeyValueStore, OpenKeyValueStore } from "@strandline/platform";
import { Level } from "level";

/** The store could not be opened; the message says why, in words for an operator. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly reason: "locked" | "not-writable" | "no-space" | "damaged" | "other";

  constructor(reason: StoreError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

type Database = Level<string, Uint8Array>;

export const openLevelStore: OpenKeyValueStore = async (path) => {
  const database: Database = new Level(path, { keyEncoding: "utf8", valueEncoding: "view" });
  try {
    await database.open();
  } catch (error) {
    throw openError(path, error);
  }
  return levelStore(database);
};

function levelStore(database: Database): KeyValueStore {
  return {
    async get(key) {
      return await database.get(key);
    },
    async write(operations, options) {
      // Just as atomic as a list of operations, and a third of its price.
      const batch = database.batch();
      for (const operation of operations) {
        if (operation.kind === "put") batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      await batch.write({ sync: options.sync });
    },
    async range(from, to) {
      return await database.iterator({ gte: from, lt: to }).all();
    },
    async close() {
      await database.close();
    },
  };
}

/** `level` reports every failure to open as one code, with the reason in the cause. */
function openError(path: string, error: unknown): StoreError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const options = { cause: error };
  if (code === "LEVEL_LOCKED" || /lock .*already held|Resource temporarily/i.test(text)) {
    return new StoreError("locked", `${path} is in use by another process`, options);
  }
  if (/Permission denied|Read-only file system/i.test(text)) {
    return new StoreError("not-writable", `${path} cannot be written to: ${text}`, options);
  }
  if (/No space left/i.test(text)) {
    return new StoreError("no-space", `${path}: the disk is full`, options);
  }
  if (code === "LEVEL_CORRUPTION" || /^Corruption/i.test(text)) {
    return new StoreError("damaged", `${path} is damaged: ${text}`, options);
  }
  return new StoreError("other", `${path} could not be opened: ${text}`, options);
}
