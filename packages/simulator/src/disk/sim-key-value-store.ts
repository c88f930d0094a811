/**
 * Key-value stores of one machine. Batches are atomic and keep their order: a power cut loses a
 * suffix of those that no sync has covered. A store whose sync failed refuses further writes until
 * it is opened anew, as `level` does.
 */
import { assert } from "@strandline/model";
import { crc32c, type KeyValueOperation, type KeyValueStore } from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { SimRandom } from "../random.js";
import { type DiskOperation, drawDiskLatencyUs } from "./disk-settings.js";
import { ioError } from "./io-error.js";
import type { DiskPorts } from "./sim-file-system.js";

type Batch = readonly KeyValueOperation[];

/** What one path holds. It outlives processes. */
export class SimStoreData {
  readonly #durable = new Map<string, Uint8Array>();
  #current = new Map<string, Uint8Array>();
  #unsynced: Batch[] = [];
  #failed: Batch[] = [];
  /** The process that has it open. */
  holder: Incarnation | undefined;

  get isHeld(): boolean {
    return this.holder?.isAlive === true;
  }

  get(key: string): Uint8Array | undefined {
    return this.#current.get(key)?.slice();
  }

  range(from: string, to: string): [string, Uint8Array][] {
    const found: [string, Uint8Array][] = [];
    for (const [key, value] of this.#current) {
      if (compareKeys(from, key) <= 0 && compareKeys(key, to) < 0) found.push([key, value.slice()]);
    }
    return found.sort(([one], [other]) => compareKeys(one, other));
  }

  /** Takes ownership of the batch. */
  write(batch: Batch, sync: boolean): void {
    applyBatch(this.#current, batch);
    this.#unsynced.push(batch);
    if (!sync) return;
    for (const earlier of this.#unsynced) applyBatch(this.#durable, earlier);
    this.#unsynced = [];
  }

  /** A batch whose write failed on its way: nobody sees it now, the next opening may. */
  fail(batch: Batch): void {
    this.#failed.push(batch);
  }

  /** Some of what failed turns out to be written after all. */
  settleFailed(random: SimRandom): void {
    if (this.#failed.length === 0) return;
    const kept = random.below(this.#failed.length + 1);
    for (const batch of this.#failed.splice(0).slice(0, kept)) this.write(batch, false);
  }

  loseUnsynced(random: SimRandom): void {
    this.settleFailed(random);
    const kept = random.below(this.#unsynced.length + 1);
    for (const batch of this.#unsynced.slice(0, kept)) applyBatch(this.#durable, batch);
    this.#unsynced = [];
    this.#current = new Map(this.#durable);
  }
}

/** Opens the store over `data`, as `OpenKeyValueStore` asks. */
export function openSimStore(
  ports: DiskPorts,
  path: string,
  data: SimStoreData,
): Promise<KeyValueStore> {
  const { incarnation } = ports;
  if (!incarnation.isAlive) return new Promise(() => undefined);
  const delayUs = drawDiskLatencyUs("sync", ports, ports.random);
  const effect = (): KeyValueStore => {
    if (data.isHeld) {
      const error = new Error(`the store at ${path} is in use by another process`);
      throw Object.assign(error, { code: "LEVEL_LOCKED" });
    }
    data.settleFailed(ports.random);
    data.holder = incarnation;
    return new SimKeyValueStore(ports, path, data);
  };
  return incarnation.operate(delayUs, { kind: "kv-open", effect });
}

class SimKeyValueStore implements KeyValueStore {
  readonly #ports: DiskPorts;
  readonly #path: string;
  readonly #data: SimStoreData;
  #isClosed = false;
  #failure: Error | undefined;
  /** When the last write given so far ends: writes never overtake one another. */
  #writtenUs = 0;

  constructor(ports: DiskPorts, path: string, data: SimStoreData) {
    this.#ports = ports;
    this.#path = path;
    this.#data = data;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#operate("read", { kind: "kv-get" }, () => this.#data.get(key));
  }

  range(from: string, to: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    return this.#operate("read", { kind: "kv-range" }, () => this.#data.range(from, to));
  }

  write(
    operations: readonly KeyValueOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    const batch = operations.map((operation) => {
      return operation.kind === "put"
        ? { ...operation, value: operation.value.slice() }
        : { ...operation };
    });
    const kind = options.sync ? "kv-write-sync" : "kv-write";
    const what = { kind, detail: batchChecksum(batch) };
    return this.#operate(options.sync ? "sync" : "write", what, () => {
      this.#write(batch, options.sync);
    });
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return this.#operate("sync", { kind: "kv-close" }, () => {
      this.#isClosed = true;
      if (this.#data.holder === this.#ports.incarnation) this.#data.holder = undefined;
    });
  }

  #write(batch: Batch, sync: boolean): void {
    if (this.#failure !== undefined) throw this.#failure;
    const { faults, random, disk } = this.#ports;
    const { capacityBytes } = faults;
    const isFull = capacityBytes !== undefined && disk.usedBytes() >= capacityBytes;
    if (isFull || faults.isFailing(sync ? "sync" : "write", random)) {
      this.#failure = ioError(isFull ? "ENOSPC" : "EIO", "write", this.#path);
      this.#data.fail(batch);
      throw this.#failure;
    }
    this.#data.write(batch, sync);
  }

  #operate<Result>(
    operation: DiskOperation,
    what: { readonly kind: string; readonly detail?: number },
    effect: () => Result,
  ): Promise<Result> {
    const { incarnation, random } = this.#ports;
    if (!incarnation.isAlive) return new Promise(() => undefined);
    const { nowUs } = incarnation.scheduler;
    let delayUs = drawDiskLatencyUs(operation, this.#ports, random);
    if (operation !== "read") {
      this.#writtenUs = Math.max(this.#writtenUs + 1, nowUs + delayUs);
      delayUs = this.#writtenUs - nowUs;
    }
    const checked = (): Result => {
      if (this.#isClosed) {
        throw Object.assign(new Error(`the store at ${this.#path} is closed`), {
          code: "LEVEL_DATABASE_NOT_OPEN",
        });
      }
      return effect();
    };
    return incarnation.operate(delayUs, { ...what, effect: checked });
  }
}

function applyBatch(content: Map<string, Uint8Array>, batch: Batch): void {
  for (const operation of batch) {
    if (operation.kind === "put") content.set(operation.key, operation.value);
    else content.delete(operation.key);
  }
}

function batchChecksum(batch: Batch): number {
  let checksum = batch.length;
  for (const operation of batch) {
    if (operation.kind === "put") checksum = crc32c(operation.value, checksum);
  }
  return checksum;
}

/** By the bytes of UTF-8, which is by code point and not by UTF-16 unit. */
export function compareKeys(one: string, other: string): number {
  const end = Math.min(one.length, other.length);
  for (let at = 0; at < end; at++) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a === b) continue;
    return rank(a) - rank(b);
  }
  return one.length - other.length;
}

/** Surrogates stand for code points above every other unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The stores of one machine, by path. */
export class SimStores {
  readonly #stores = new Map<string, SimStoreData>();

  at(path: string): SimStoreData {
    assert(path.length > 0, "a store has a path");
    let data = this.#stores.get(path);
    if (data === undefined) {
      data = new SimStoreData();
      this.#stores.set(path, data);
    }
    return data;
  }

  loseUnsynced(random: SimRandom): void {
    for (const data of this.#stores.values()) data.loseUnsynced(random);
  }
}
