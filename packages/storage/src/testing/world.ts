/** A disk, a store, a clock and the logs on them, for tests. */
import { type Clock, crc32c, nullLogger, type Timer, type Timers } from "@strandline/platform";
import { BatchEncoder, batchBytes, lastOffset, stampBatch } from "@strandline/record";
import { Log } from "../log.js";
import type { LogConfig, LogOptions, LogPorts, OffsetRange } from "../log-options.js";
import { type Choose, MemoryFileSystem } from "./memory-file-system.js";
import { MemoryStore } from "./memory-store.js";

export const DIRECTORY = "/data/topics/AAAAAAAAAAAAAAAAAAAAAA-0";
export const KEY = "AAAAAAAAAAAAAAAAAAAAAA-0";

export const CONFIG: LogConfig = {
  segmentBytesMax: 1024 * 1024,
  segmentMs: 7 * 24 * 3600 * 1000,
  indexIntervalBytes: 256,
  retentionMs: -1,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  isSynced: true,
  tailBytesMax: 64 * 1024,
};

/** Time that moves only when it is told to. */
export class ManualTime implements Clock, Timers {
  nowMs = 1_000_000;
  wallOffsetMs = 1_700_000_000_000;
  #timers: { dueMs: number; callback: () => void }[] = [];

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs + this.wallOffsetMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
    };
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.dueMs <= untilMs);
      const next = due.sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.callback();
    }
    this.nowMs = untilMs;
  }
}

export class World {
  files = new MemoryFileSystem();
  store = new MemoryStore();
  readonly time = new ManualTime();
  /** What the observers were told. */
  durable: number[] = [];
  failures: Error[] = [];
  damages: OffsetRange[] = [];

  constructor() {
    this.files.putDirectory(DIRECTORY.slice(0, DIRECTORY.lastIndexOf("/")));
  }

  get ports(): LogPorts {
    return {
      fileSystem: this.files,
      clock: this.time,
      timers: this.time,
      crc32c,
      checkpoints: this.store,
      logger: nullLogger,
    };
  }

  async open(
    config: Partial<LogConfig> = {},
    shared: Pick<LogOptions, "readAhead"> = {},
  ): Promise<Log> {
    // Not the fields: a log that a crash left behind must not speak for the next one.
    const durable: number[] = [];
    const failures: Error[] = [];
    const damages: OffsetRange[] = [];
    this.durable = durable;
    this.failures = failures;
    this.damages = damages;
    return await Log.open(this.ports, {
      directory: DIRECTORY,
      key: KEY,
      config: { ...CONFIG, ...config },
      ...shared,
      observer: {
        onDurable: (endOffset) => durable.push(endOffset),
        onFailed: (error) => failures.push(error),
        onDamaged: (range) => damages.push(range),
      },
    });
  }

  /** A power cut: what was not synced survives by choice. */
  crash(choose: Choose): void {
    this.files = this.files.crash(choose);
    this.store = this.store.crash(choose);
  }

  /** The process is gone, the machine goes on: nothing written is lost. */
  kill(): void {
    this.files = this.files.kill();
    this.store = this.store.kill();
  }

  /** Nothing that was not synced survives. */
  crashHard(): void {
    this.files = this.files.crash((bound) => (bound === 2 ? 1 : 0));
    this.store = this.store.crash(() => 0);
  }

  path(name: string): string {
    return `${DIRECTORY}/${name}`;
  }

  names(): string[] {
    return this.files.names(DIRECTORY);
  }
}

export interface BatchOptions {
  readonly count?: number;
  readonly valueBytes?: number;
  readonly epoch?: number;
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly baseSequence?: number;
  /** Makes the contents differ from those of other seeds. */
  readonly seed?: number;
}

/** One batch as a leader would append it at `baseOffset`. */
export function batch(baseOffset: number, options: BatchOptions = {}): Uint8Array {
  const { count = 1, valueBytes = 100, epoch = 0, timestampMs = 1000, seed = 0 } = options;
  const encoder = new BatchEncoder();
  for (let index = 0; index < count; index++) {
    const value = new Uint8Array(valueBytes).fill((baseOffset + index + seed * 7) & 0xff);
    encoder.append({ key: null, value, timestampMs: timestampMs + index });
  }
  const bytes = encoder
    .finish({
      crc32c,
      producerId: options.producerId,
      producerEpoch: options.producerId === undefined ? undefined : 0,
      baseSequence: options.producerId === undefined ? undefined : (options.baseSequence ?? 0),
    })
    .slice();
  stampBatch(bytes, 0, baseOffset, epoch);
  return bytes;
}

/** Appends `count` batches of `recordCount` records each; returns them. */
export function appendBatches(log: Log, count: number, options: BatchOptions = {}): Uint8Array[] {
  const appended: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = batch(log.logEndOffset, options);
    log.append(bytes.slice());
    appended.push(bytes);
  }
  return appended;
}

/** Everything from `fromOffset` to the end, read as a follower would. */
export async function readAll(
  log: Log,
  fromOffset: number = log.logStartOffset,
  bytesMax = 1000,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let offset = fromOffset;
  while (offset < log.logEndOffset) {
    const found = await log.read(offset, bytesMax, log.logEndOffset);
    if (found.length === 0) throw new Error(`nothing at ${offset}, before ${log.logEndOffset}`);
    chunks.push(...found);
    offset = endOf(found.at(-1) as Uint8Array);
  }
  return concat(chunks);
}

/** Offset after the last batch of a chunk. */
export function endOf(chunk: Uint8Array): number {
  let end = -1;
  for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) end = lastOffset(chunk, at) + 1;
  return end;
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Byte equality. Not `toEqual`: that looks at each byte as a value of its own. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Lets everything that does not wait for time come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

/** Repeatable choices. */
export function seeded(seed: number): Choose {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
