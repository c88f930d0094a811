/** A process of the log scenario: opens the production log, checks it, and works on it. */
import {
  BatchEncoder,
  baseOffset,
  batchesIn,
  crc,
  nextOffset,
  recordCount,
  stampBatch,
} from "@strandline/record";
import { Log, type LogConfig } from "@strandline/storage";
import type { App, NodePorts } from "../../node-ports.js";
import type { SimRandom } from "../../random.js";
import type { LogModel, ModelBatch } from "./log-model.js";

const DIRECTORY = "/data/topics/AAAAAAAAAAAAAAAAAAAAAA-0";
const KEY = "AAAAAAAAAAAAAAAAAAAAAA-0";

export interface LogProcessOptions {
  readonly model: LogModel;
  readonly config: LogConfig;
  /** Of the workload; forked for each process. */
  readonly random: SimRandom;
  readonly recordBytesMax: number;
  readonly report: (problem: string) => void;
}

export class LogProcess implements App {
  readonly #ports: NodePorts;
  readonly #options: LogProcessOptions;
  readonly #random: SimRandom;
  readonly #log: Log;
  readonly #closeStore: () => Promise<void>;
  #working: Promise<void> | undefined;
  #isClosing = false;

  static async open(ports: NodePorts, options: LogProcessOptions): Promise<LogProcess> {
    const { fileSystem } = ports;
    await fileSystem.makeDirectory("/data/topics");
    await fileSystem.syncDirectory("/");
    await fileSystem.syncDirectory("/data");
    const checkpoints = await ports.openKeyValueStore("/data/checkpoints");
    let process: LogProcess | undefined;
    const log = await Log.open(
      { ...ports, checkpoints },
      {
        directory: DIRECTORY,
        key: KEY,
        config: options.config,
        observer: {
          onDurable: (endOffset) => options.model.promised(endOffset),
          onFailed: (error) => process?.fail(error),
          onDamaged: ({ fromOffset, toOffset }) => {
            options.report(`records [${fromOffset}, ${toOffset}) are damaged`);
          },
        },
      },
    );
    process = new LogProcess(ports, options, { log, close: () => checkpoints.close() });
    await process.#checkOpened();
    const opened = process;
    opened.#working = opened.#work();
    opened.#working.catch((error: unknown) => opened.fail(asError(error)));
    return opened;
  }

  private constructor(
    ports: NodePorts,
    options: LogProcessOptions,
    parts: { readonly log: Log; readonly close: () => Promise<void> },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#log = parts.log;
    this.#closeStore = parts.close;
    this.#random = options.random.fork(`process ${ports.generation}`);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#working;
    try {
      await this.#log.close();
      // An orderly end leaves nothing un-synced behind.
      this.#options.model.promised(this.#log.logEndOffset);
      await this.#closeStore();
    } catch (error) {
      // On a disk that fails, an orderly end is a crash.
      this.#ports.exit(asError(error));
    }
  }

  /**
   * The disk failed, and the process ends. It closes the log first, which notes up to where it is
   * durable: the system may show bytes that never reached the disk, and will call them clean.
   */
  fail(error: Error): void {
    const end = (): void => this.#ports.exit(error);
    this.#log.close().then(end, end);
  }

  async #checkOpened(): Promise<void> {
    const { model, report } = this.#options;
    const { logStartOffset, logEndOffset, recovery } = this.#log;
    const problem = model.opened(logStartOffset, logEndOffset);
    if (problem !== undefined) report(problem);
    if (recovery.damaged !== undefined) {
      const { fromOffset, toOffset } = recovery.damaged;
      report(`the log was opened with records [${fromOffset}, ${toOffset}) damaged`);
    }
    let at = logStartOffset;
    while (at < logEndOffset) at = await this.#readAt(at);
  }

  async #work(): Promise<void> {
    const random = this.#random;
    while (!this.#isClosing) {
      const choice = random.below(100);
      if (choice < 80) this.#append();
      else if (choice < 90) await this.#readSomewhere();
      else if (choice < 94) await this.#truncate();
      else if (choice < 97) await this.#deleteRecords();
      else await this.#log.checkpoint();
      if (random.chance(0.5)) await this.#pass(random.below(40));
    }
  }

  #append(): void {
    const random = this.#random;
    const encoder = new BatchEncoder();
    for (let record = random.between(1, 5); record > 0; record--) {
      const value = random.bytes(random.below(this.#options.recordBytesMax));
      encoder.append({ key: null, value, timestampMs: this.#ports.clock.wallMs() });
    }
    const bytes = encoder.finish({ crc32c: this.#ports.crc32c });
    // Each process leads in an epoch of its own, as a restarted broker does.
    stampBatch(bytes, 0, this.#log.logEndOffset, this.#ports.generation);
    this.#options.model.appended(batchAt(bytes, 0));
    this.#log.append(bytes);
  }

  async #readSomewhere(): Promise<void> {
    const { logStartOffset, logEndOffset } = this.#log;
    if (logStartOffset === logEndOffset) return;
    await this.#readAt(this.#random.between(logStartOffset, logEndOffset - 1));
  }

  /** Returns where the batches that were read end. */
  async #readAt(fromOffset: number): Promise<number> {
    const { logEndOffset } = this.#log;
    const bytesMax = this.#random.magnitude(1, 20_000);
    const chunks = await this.#log.read(fromOffset, bytesMax, logEndOffset);
    const found = chunks.flatMap((chunk) => {
      return [...batchesIn(chunk)].map(({ at }) => batchAt(chunk, at));
    });
    const problem = this.#options.model.readProblem(fromOffset, found);
    if (problem !== undefined) this.#options.report(problem);
    const last = found.at(-1);
    if (last === undefined) this.#options.report(`a read from ${fromOffset} found nothing`);
    return last?.endOffset ?? logEndOffset;
  }

  async #truncate(): Promise<void> {
    const { model, report } = this.#options;
    const { logStartOffset, logEndOffset } = this.#log;
    const offset =
      logEndOffset - this.#random.below(Math.min(20, logEndOffset - logStartOffset) + 1);
    model.truncationBegins(offset);
    await this.#log.truncateTo(offset);
    const problem = model.truncationEnds(offset, this.#log.logEndOffset);
    if (problem !== undefined) report(problem);
  }

  async #deleteRecords(): Promise<void> {
    const { model } = this.#options;
    const { logStartOffset, logEndOffset } = this.#log;
    const offset = logStartOffset + this.#random.below(logEndOffset - logStartOffset + 1);
    model.deletionBegins(offset);
    await this.#log.deleteRecordsBefore(offset);
    model.deletionEnds(offset);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.timers.after(ms, resolve);
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function batchAt(bytes: Uint8Array, at: number): ModelBatch {
  const endOffset = nextOffset(bytes, at);
  return {
    baseOffset: baseOffset(bytes, at),
    endOffset,
    checksum: (crc(bytes, at) ^ recordCount(bytes, at)) >>> 0,
  };
}
