/**
 * What a log remembers outside of its files, in the key-value store, below `log/<key>/`:
 *
 *   state                 where recovery begins, where the log starts, high watermark, epochs
 *   segment/<base>        facts about a segment that takes no more appends
 *   producers/<offset>    producer states as of an offset
 *   swap/<base>           a compacted file that takes the place of others, until it has
 *
 * Whatever is read back is checked: malformed entries count as missing.
 */
import type { KeyValueOperation, KeyValueStore } from "@strandline/platform";
import {
  type EpochEntry,
  isProducerSnapshot,
  type ProducerSnapshot,
} from "@strandline/replication";
import type { SegmentFacts } from "./segment.js";
import { offsetText } from "./segment-name.js";

/** Everything below it was synced when it was written. */
export interface RecoveryPoint {
  readonly offset: number;
  /** The segment that the next record goes to, unless it rolls, and the position there. */
  readonly baseOffset: number;
  readonly position: number;
}

export interface LogState {
  readonly version: 1;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly recoveryPoint: RecoveryPoint;
  readonly epochs: readonly EpochEntry[];
  /** The active segment at the recovery point. */
  readonly active: SegmentFacts;
  /** The log was closed: its files are as they were, unless one is larger than it says here. */
  readonly isClean: boolean;
  /** Offsets may be left out between batches. */
  readonly hasGaps: boolean;
  /** Everything below was compacted. */
  readonly cleanedTo: number;
}

/** Files that take the place of others: what is left to do when a process dies in between. */
export interface StoredSwap {
  readonly version: 1;
  /** Base offsets of the segments that go, ascending. The first is that of the one that comes. */
  readonly replaced: readonly number[];
  /** What is to be remembered of the one that comes. */
  readonly facts: SegmentFacts;
}

export const NOTHING_STORED: StoredLog = {
  state: undefined,
  segments: new Map(),
  producerOffsets: [],
  swaps: [],
};

export interface StoredLog {
  /** Undefined when nothing usable is stored. */
  readonly state: LogState | undefined;
  readonly segments: ReadonlyMap<number, SegmentFacts>;
  /** Offsets of producer snapshots, ascending. */
  readonly producerOffsets: readonly number[];
  readonly swaps: readonly StoredSwap[];
}

export class LogCheckpoints {
  readonly #store: KeyValueStore;
  readonly #prefix: string;
  readonly #stateKey: string;
  #state: Uint8Array | undefined;

  constructor(store: KeyValueStore, key: string) {
    this.#store = store;
    this.#prefix = `log/${key}/`;
    this.#stateKey = `${this.#prefix}state`;
  }

  /** Whether anything is stored. The state is stored first, and removed with all the rest. */
  async hasState(): Promise<boolean> {
    return (await this.#store.get(this.#stateKey)) !== undefined;
  }

  /** In one go over all entries: what a range costs is its beginning. */
  async load(): Promise<StoredLog> {
    const segmentPrefix = `${this.#prefix}segment/`;
    const producersPrefix = `${this.#prefix}producers/`;
    const swapPrefix = `${this.#prefix}swap/`;
    const swaps: StoredSwap[] = [];
    const segments = new Map<number, SegmentFacts>();
    const producerOffsets: number[] = [];
    let state: unknown;
    for (const [key, value] of await this.#all()) {
      if (key === this.#stateKey) {
        state = parse(value);
      } else if (key.startsWith(segmentPrefix)) {
        const facts = parse(value);
        if (isSegmentFacts(facts)) segments.set(Number(key.slice(segmentPrefix.length)), facts);
      } else if (key.startsWith(producersPrefix)) {
        const offset = Number(key.slice(producersPrefix.length));
        if (Number.isSafeInteger(offset)) producerOffsets.push(offset);
      } else if (key.startsWith(swapPrefix)) {
        const swap = parse(value);
        if (isStoredSwap(swap)) swaps.push(swap);
      }
    }
    return { state: stateOf(state), segments, producerOffsets, swaps };
  }

  async producers(offset: number): Promise<ProducerSnapshot | undefined> {
    const value = parse(await this.#store.get(this.#producersKey(offset)));
    return isProducerSnapshot(value) ? value : undefined;
  }

  async write(
    operations: readonly KeyValueOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    await this.#store.write(operations, options);
    for (const operation of operations) {
      if (operation.kind === "put" && operation.key === this.#stateKey) {
        this.#state = operation.value;
      }
    }
  }

  /** Whether the state that was last written through here is the same. */
  isWritten(state: LogState): boolean {
    return this.#state !== undefined && isSame(this.#state, encode(state));
  }

  /** Forgets the log. Durable when it resolves. */
  async clear(): Promise<void> {
    const entries = await this.#all();
    const operations = entries.map(([key]) => ({ kind: "delete" as const, key }));
    if (operations.length > 0) await this.#store.write(operations, { sync: true });
  }

  putState(state: LogState): KeyValueOperation {
    return { kind: "put", key: this.#stateKey, value: encode(state) };
  }

  putSegment(baseOffset: number, facts: SegmentFacts): KeyValueOperation {
    return { kind: "put", key: this.#segmentKey(baseOffset), value: encode(facts) };
  }

  deleteSegment(baseOffset: number): KeyValueOperation {
    return { kind: "delete", key: this.#segmentKey(baseOffset) };
  }

  putSwap(swap: StoredSwap): KeyValueOperation {
    return { kind: "put", key: this.#swapKey(swap), value: encode(swap) };
  }

  deleteSwap(swap: StoredSwap): KeyValueOperation {
    return { kind: "delete", key: this.#swapKey(swap) };
  }

  putProducers(offset: number, snapshot: Uint8Array): KeyValueOperation {
    return { kind: "put", key: this.#producersKey(offset), value: snapshot };
  }

  deleteProducers(offset: number): KeyValueOperation {
    return { kind: "delete", key: this.#producersKey(offset) };
  }

  #swapKey({ replaced }: StoredSwap): string {
    return `${this.#prefix}swap/${offsetText(replaced[0] as number)}`;
  }

  #segmentKey(baseOffset: number): string {
    return `${this.#prefix}segment/${offsetText(baseOffset)}`;
  }

  #producersKey(offset: number): string {
    return `${this.#prefix}producers/${offsetText(offset)}`;
  }

  async #all(): Promise<readonly (readonly [string, Uint8Array])[]> {
    // "0" follows "/": the range ends after the last key with this prefix.
    return await this.#store.range(this.#prefix, `${this.#prefix.slice(0, -1)}0`);
  }
}

export function encode(value: LogState | SegmentFacts | ProducerSnapshot | StoredSwap): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parse(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** The stored state. What it may lack was not told before there was compaction. */
function stateOf(value: unknown): LogState | undefined {
  if (!isLogState(value)) return undefined;
  const { hasGaps, cleanedTo } = value as Partial<LogState>;
  return {
    ...value,
    hasGaps: hasGaps === true,
    cleanedTo: isCount(cleanedTo) ? (cleanedTo as number) : 0,
  };
}

function isStoredSwap(value: unknown): value is StoredSwap {
  if (!isObject(value) || value["version"] !== 1) return false;
  const replaced = value["replaced"];
  if (!Array.isArray(replaced) || replaced.length === 0) return false;
  return replaced.every(isCount) && isSegmentFacts(value["facts"]);
}

function isLogState(value: unknown): value is Omit<LogState, "hasGaps" | "cleanedTo"> {
  if (!isObject(value) || value["version"] !== 1) return false;
  const epochs = value["epochs"];
  return (
    isCount(value["logStartOffset"]) &&
    isCount(value["highWatermark"]) &&
    isRecoveryPoint(value["recoveryPoint"]) &&
    Array.isArray(epochs) &&
    epochs.every(isEpochEntry) &&
    isSegmentFacts(value["active"]) &&
    typeof value["isClean"] === "boolean"
  );
}

function isRecoveryPoint(value: unknown): boolean {
  if (!isObject(value)) return false;
  return isCount(value["offset"]) && isCount(value["baseOffset"]) && isCount(value["position"]);
}

function isEpochEntry(value: unknown): boolean {
  return isObject(value) && isCount(value["epoch"]) && isCount(value["startOffset"]);
}

function isSegmentFacts(value: unknown): value is SegmentFacts {
  if (!isObject(value)) return false;
  return (
    isCount(value["nextOffset"]) &&
    isCount(value["sizeBytes"]) &&
    Number.isSafeInteger(value["maxTimestampMs"]) &&
    Number.isSafeInteger(value["maxTimestampOffset"]) &&
    typeof value["firstAppendMs"] === "number" &&
    typeof value["lastAppendMs"] === "number"
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
