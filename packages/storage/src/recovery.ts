/**
 * Opens what a log has on the disk: from the recovery point on everything is checked, and the
 * first batch that is wrong ends the log, because that is where a write was torn. Below the
 * recovery point everything was synced, so what is wrong there is damage: reported, never cut.
 */
import { baseOffset, leaderEpoch, producerId } from "@strandline/record";
import { LeaderEpochs, ProducerStates } from "@strandline/replication";
import { walkBatches } from "./batch-walk.js";
import { ColdReader } from "./cold-reader.js";
import { Damages, findDamages } from "./damage.js";
import { IndexFiles, noteBatch, rebuildSegment } from "./index-files.js";
import {
  LogCheckpoints,
  type LogState,
  NOTHING_STORED,
  type StoredLog,
} from "./log-checkpoints.js";
import type { LogOptions, LogPorts } from "./log-options.js";
import { assumedState, liveBases, withPointIn } from "./recovery-state.js";
import { producerBatch, type ReplayRange, replayBatches, replayProducers } from "./replay.js";
import { checkSealedSegment, gapSegment } from "./sealed-check.js";
import { Segment } from "./segment.js";
import {
  baseOffsetOfName,
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  isIndexName,
  logName,
} from "./segment-name.js";
import { finishSwap } from "./segment-swap.js";

/** A log as it was found, ready to take appends. */
export interface RecoveredLog {
  /** In offset order, each beginning where the one before ends. The last one is active. */
  readonly segments: Segment[];
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly epochs: LeaderEpochs;
  readonly producers: ProducerStates;
  readonly producerOffsets: readonly number[];
  readonly damages: Damages;
  readonly checkpoints: LogCheckpoints;
  readonly indexFiles: IndexFiles;
  readonly reader: ColdReader;
  readonly cutBytes: number;
  readonly recoveredFrom: number;
  readonly hasGaps: boolean;
  readonly cleanedTo: number;
  /** Segments that were filled after the last checkpoint: nothing is remembered of them yet. */
  readonly unsealed: Segment[];
  /** The stored state is not what was found. */
  readonly isChanged: boolean;
}

export async function recoverLog(ports: LogPorts, options: LogOptions): Promise<RecoveredLog> {
  const recovery = new Recovery(ports, options);
  try {
    return await recovery.run();
  } catch (error) {
    await recovery.abandon();
    throw error;
  }
}

class Recovery {
  readonly #ports: LogPorts;
  readonly #options: LogOptions;
  readonly #checkpoints: LogCheckpoints;
  readonly #indexFiles: IndexFiles;
  readonly #reader: ColdReader;
  readonly #damages = new Damages();
  readonly #segments: Segment[] = [];
  readonly #unsealed: Segment[] = [];
  #epochs = new LeaderEpochs();
  #producers = new ProducerStates();
  #cutBytes = 0;
  #hasGaps = false;
  #isChanged = false;
  /** Files above the recovery point were found, written or removed: to be synced. */
  #isTouched = false;

  constructor(ports: LogPorts, options: LogOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#checkpoints = new LogCheckpoints(ports.checkpoints, options.key);
    this.#indexFiles = new IndexFiles(ports.fileSystem, options.directory);
    this.#reader = new ColdReader(ports, this.#indexFiles, {
      scratch: (base) => this.#segment(base),
      readAhead: options.readAhead,
    });
  }

  /** What says how files are read. */
  get #reading(): { indexIntervalBytes: number; hasGaps: boolean } {
    const { indexIntervalBytes } = this.#options.config;
    return { indexIntervalBytes, hasGaps: this.#hasGaps };
  }

  async run(): Promise<RecoveredLog> {
    const hasState = await this.#checkpoints.hasState();
    const known = hasState ? await this.#loadSwapped() : undefined;
    const bases = await this.#prepareDirectory(hasState);
    const isNew = !hasState && bases.length === 0;
    const stored = known ?? (isNew ? NOTHING_STORED : await this.#checkpoints.load());
    const found = stored.state ?? assumedState(bases);
    if (stored.state === undefined && bases.length > 0) this.#warnOfNoState();
    const live = liveBases(bases, found);
    const state = withPointIn(live, found);
    // Before files go: a power cut may take the file that they were to be followed by.
    if (state !== found) {
      await this.#checkpoints.write([this.#checkpoints.putState(state)], { sync: true });
    }
    await this.#dropDeleted(bases.filter((base) => !live.includes(base)));
    const { recoveryPoint, logStartOffset } = state;
    this.#hasGaps = state.hasGaps;
    this.#epochs = new LeaderEpochs(state.epochs);
    this.#epochs.truncateFromEnd(recoveryPoint.offset);
    await this.#openSealed(live, stored, state);
    await this.#openActive(live, state);
    if (stored.state === undefined) await this.#restoreEpochs(state);
    await this.#restoreProducers(stored, state);
    await this.#scan(live, state);
    await this.#finish(logStartOffset);
    this.#epochs.truncateFromStart(logStartOffset);
    const end = (this.#segments.at(-1) as Segment).nextOffset;
    return {
      segments: this.#segments,
      logStartOffset,
      highWatermark: Math.min(Math.max(state.highWatermark, logStartOffset), end),
      epochs: this.#epochs,
      producers: this.#producers,
      producerOffsets: stored.producerOffsets.filter((offset) => offset <= end),
      damages: this.#damages,
      checkpoints: this.#checkpoints,
      indexFiles: this.#indexFiles,
      reader: this.#reader,
      cutBytes: this.#cutBytes,
      recoveredFrom: recoveryPoint.offset,
      hasGaps: state.hasGaps,
      cleanedTo: Math.min(state.cleanedTo, end),
      unsealed: this.#unsealed,
      isChanged: this.#isChanged || stored.state === undefined,
    };
  }

  /** Lets go of all files. */
  async abandon(): Promise<void> {
    await Promise.all(this.#segments.map(async (segment) => await segment.file.retire()));
  }

  /** What is stored, once every file that was to take the place of others has. */
  async #loadSwapped(): Promise<StoredLog> {
    const stored = await this.#checkpoints.load();
    if (stored.swaps.length === 0) return stored;
    for (const swap of stored.swaps) {
      await finishSwap(
        { fileSystem: this.#ports.fileSystem, directory: this.#options.directory },
        { checkpoints: this.#checkpoints, indexFiles: this.#indexFiles },
        swap,
      );
    }
    return await this.#checkpoints.load();
  }

  /** Removes what was deleted before; returns the base offsets of the segments that are there. */
  async #prepareDirectory(isKnown: boolean): Promise<number[]> {
    const { fileSystem } = this.#ports;
    const { directory } = this.#options;
    // Of a log that nothing is stored of the directory is usually missing: there is none to list.
    const isNew = !isKnown && (await fileSystem.makeDirectory(directory));
    const names = isNew ? [] : await fileSystem.list(directory);
    if (names.length === 0) {
      if (isKnown) await fileSystem.makeDirectory(directory);
      await fileSystem.syncDirectory(directory.slice(0, directory.lastIndexOf("/")));
    }
    const isLeftOver = (name: string): boolean =>
      name.endsWith(DELETED_SUFFIX) ||
      name.endsWith(CLEANED_SUFFIX) ||
      (isIndexName(name) && !names.includes(name.replace(/\.(time)?index$/, ".log")));
    for (const name of names) {
      if (isLeftOver(name)) await fileSystem.remove(`${directory}/${name}`);
    }
    return names.map(baseOffsetOfName).filter((base) => base !== undefined);
  }

  #warnOfNoState(): void {
    const { directory } = this.#options;
    this.#ports.logger.warn({ directory }, "no checkpoint of this log; its end is checked wholly");
  }

  /** Finishes a deletion that was cut short. */
  async #dropDeleted(bases: readonly number[]): Promise<void> {
    for (const base of bases) {
      await this.#ports.fileSystem.remove(`${this.#options.directory}/${logName(base)}`);
      await this.#indexFiles.remove(base);
      await this.#checkpoints.write([this.#checkpoints.deleteSegment(base)], { sync: false });
    }
  }

  /** Segments below the one that the recovery point is in: only looked at, not read. */
  async #openSealed(live: readonly number[], stored: StoredLog, state: LogState): Promise<void> {
    const { baseOffset: activeBase } = state.recoveryPoint;
    const remembered = [...stored.segments.keys()].filter(
      (base) => (stored.segments.get(base)?.nextOffset ?? 0) > state.logStartOffset,
    );
    const bases = [...new Set([...live, ...remembered])]
      .filter((base) => base < activeBase)
      .sort((a, b) => a - b);
    let due = Math.min(state.logStartOffset, bases[0] ?? activeBase);
    for (const base of [...bases, activeBase]) {
      if (base > due) this.#addGap(due, base);
      if (base === activeBase) break;
      const segment = this.#segment(base);
      const facts = stored.segments.get(base);
      const damages = await checkSealedSegment(segment, {
        fileSystem: this.#ports.fileSystem,
        crc32c: this.#ports.crc32c,
        indexFiles: this.#indexFiles,
        ...this.#reading,
        facts,
        wallMs: this.#ports.clock.wallMs(),
      });
      this.#damages.replace(segment, damages);
      segment.isSealed = true;
      this.#segments.push(segment);
      if (facts === undefined) {
        this.#unsealed.push(segment);
        this.#isChanged = true;
      }
      due = segment.nextOffset;
    }
  }

  /** The segment with the recovery point: its part below it is taken as it is. */
  async #openActive(live: readonly number[], state: LogState): Promise<void> {
    const { recoveryPoint: point } = state;
    const segment = this.#segment(point.baseOffset);
    segment.restore({ ...state.active, nextOffset: point.offset, sizeBytes: point.position });
    segment.resetIndexes();
    const isThere = live.includes(point.baseOffset);
    // An empty file may have been created by a process that died before it synced the name.
    segment.isCreated = isThere && point.position > 0;
    this.#segments.push(segment);
    if (point.position === 0) return;
    const sizeBytes = isThere ? await this.#fileBytes(segment) : 0;
    const damages = await checkSealedSegment(segment, {
      fileSystem: this.#ports.fileSystem,
      crc32c: this.#ports.crc32c,
      indexFiles: this.#indexFiles,
      ...this.#reading,
      facts: segment.facts,
      wallMs: this.#ports.clock.wallMs(),
    });
    this.#damages.replace(segment, damages);
    if (sizeBytes < point.position) {
      // Nothing may be appended behind a hole: the log goes on in a new segment.
      this.#sealLast();
      return;
    }
    await this.#loadActiveIndexes(segment, { logBytes: point.position, endOffset: point.offset });
  }

  async #loadActiveIndexes(
    segment: Segment,
    end: { readonly logBytes: number; readonly endOffset: number },
  ): Promise<void> {
    const handle = await segment.file.acquire({ create: false });
    try {
      const loaded = await this.#indexFiles.load(segment, handle, end);
      if (loaded !== undefined) {
        segment.indexes = loaded;
        return;
      }
      const { indexIntervalBytes } = this.#options.config;
      const scratch = this.#segment(segment.baseOffset);
      const { logBytes } = end;
      const walked = await rebuildSegment(scratch, handle, { logBytes, indexIntervalBytes });
      if (scratch.indexes !== undefined) segment.indexes = scratch.indexes;
      if (walked.problem === undefined) return;
      const { crc32c } = this.#ports;
      const offsets = segment.indexes?.offsets;
      const options = { ...this.#reading, ...end, offsets, crc32c };
      const damages = await findDamages(segment, handle, options);
      this.#damages.replace(segment, damages);
    } finally {
      segment.file.release();
    }
  }

  /** From the records, when no checkpoint says them. */
  async #restoreEpochs(state: LogState): Promise<void> {
    const range = this.#replayRange(this.#segments[0]?.baseOffset ?? 0, state);
    await replayBatches(this.#reader, range, (bytes, at) => {
      this.#epochs.assign(leaderEpoch(bytes, at), baseOffset(bytes, at));
    });
  }

  /** The newest usable snapshot, and what the log has from there to the recovery point. */
  async #restoreProducers(stored: StoredLog, state: LogState): Promise<void> {
    // Deleted records that are still in a file say something about their producers too.
    let fromOffset = this.#segments[0]?.baseOffset ?? state.logStartOffset;
    for (const offset of stored.producerOffsets.toReversed()) {
      if (offset > state.recoveryPoint.offset) continue;
      const snapshot = await this.#checkpoints.producers(offset);
      if (snapshot === undefined) continue;
      this.#producers = ProducerStates.restore(snapshot);
      fromOffset = offset;
      break;
    }
    const range = this.#replayRange(fromOffset, state);
    await replayProducers(this.#producers, this.#reader, range);
  }

  /** What is below the recovery point and not known to be damaged. */
  #replayRange(fromOffset: number, state: LogState): ReplayRange {
    return {
      segments: this.#segments.filter((one) => this.#damages.of(one).length === 0),
      fromOffset,
      toOffset: state.recoveryPoint.offset,
      options: () => ({ ...this.#reading, holes: [] }),
    };
  }

  /** Checks everything above the recovery point, and cuts at the first thing that is wrong. */
  async #scan(live: readonly number[], state: LogState): Promise<void> {
    const { baseOffset: activeBase } = state.recoveryPoint;
    const active = this.#segments.at(-1) as Segment;
    let isCut = false;
    if (!state.isClean) this.#isTouched = true;
    if (live.includes(activeBase) && !active.isSealed) {
      isCut = await this.#scanSegment(active, state.isClean);
    }
    for (const base of live) {
      if (base <= activeBase) continue;
      this.#isTouched = true;
      const last = this.#segments.at(-1) as Segment;
      if (isCut || base !== last.nextOffset) {
        isCut = true;
        await this.#removeSegment(base);
        continue;
      }
      if (!last.isSealed) this.#sealLast();
      const segment = this.#segment(base);
      segment.resetIndexes();
      segment.isCreated = true;
      this.#segments.push(segment);
      isCut = await this.#scanSegment(segment, false);
    }
  }

  /** Returns whether the segment was cut. After it nothing that was found can change any more. */
  async #scanSegment(segment: Segment, isClean: boolean): Promise<boolean> {
    const sizeBytes = await this.#fileBytes(segment);
    const from = segment.sizeBytes;
    if (sizeBytes === from && isClean) return false;
    this.#isTouched = true;
    const { indexIntervalBytes } = this.#options.config;
    const nowMs = this.#ports.clock.wallMs();
    const handle = await segment.file.acquire({ create: false });
    try {
      const range = {
        from,
        to: sizeBytes,
        fromOffset: segment.nextOffset,
        check: {
          crc32c: this.#ports.crc32c,
          epochMin: this.#epochs.latest,
          hasGaps: this.#reading.hasGaps,
          rewrites: true,
        },
      };
      const end = await walkBatches(handle, range, (bytes, at) => {
        this.#observe(bytes, at);
        noteBatch(segment, bytes, at, indexIntervalBytes);
        return true;
      });
      if (segment.sizeBytes > from) {
        if (segment.firstAppendMs < 0) segment.firstAppendMs = nowMs;
        segment.lastAppendMs = nowMs;
      }
      segment.setEnd(segment.sizeBytes, segment.nextOffset);
      segment.checked.note(from, segment.sizeBytes);
      if (sizeBytes > from) this.#isChanged = true;
      const isCut = end.position < sizeBytes;
      if (isCut) {
        this.#cutBytes += sizeBytes - end.position;
        this.#ports.logger.warn(
          {
            file: segment.file.path,
            position: end.position,
            cutBytes: sizeBytes - end.position,
            reason: end.problem,
          },
          "cuts the torn end of a log",
        );
      }
      // Also where nothing is cut: a truncation that a killed process did may not be durable.
      await handle.truncate(end.position);
      await handle.dataSync();
      return isCut;
    } finally {
      segment.file.release();
    }
  }

  #observe(bytes: Uint8Array, at: number): void {
    this.#epochs.assign(leaderEpoch(bytes, at), baseOffset(bytes, at));
    if (producerId(bytes, at) >= 0) this.#producers.observe(producerBatch(bytes, at));
  }

  async #removeSegment(base: number): Promise<void> {
    this.#isTouched = true;
    const segment = this.#segment(base);
    const { path } = segment.file;
    await this.#indexFiles.remove(base);
    if (!(await this.#ports.fileSystem.exists(path))) return;
    this.#cutBytes += await this.#fileBytes(segment);
    await segment.file.retire();
    await this.#ports.fileSystem.remove(path);
  }

  async #finish(logStartOffset: number): Promise<void> {
    for (const segment of this.#segments) segment.file.closeIdle();
    const end = this.#segments.at(-1)?.nextOffset ?? 0;
    // What is left was deleted before, and what came after it is gone: the log is empty.
    if (end < logStartOffset) {
      for (const segment of this.#segments) await this.#removeSegment(segment.baseOffset);
      this.#segments.length = 0;
      this.#unsealed.length = 0;
      this.#segments.push(this.#segment(logStartOffset));
      this.#isTouched = true;
      this.#damages.retain(this.#segments);
    }
    const last = this.#segments.at(-1);
    if (last === undefined || last.isSealed) {
      const next = this.#segment(last?.nextOffset ?? 0);
      next.resetIndexes();
      this.#segments.push(next);
    }
    if (!this.#isTouched) return;
    await this.#ports.fileSystem.syncDirectory(this.#options.directory);
    for (const segment of this.#segments) {
      if (segment.writtenBytes > 0) segment.isCreated = true;
    }
  }

  #sealLast(): void {
    const last = this.#segments.at(-1) as Segment;
    last.seal();
    this.#unsealed.push(last);
    this.#isChanged = true;
  }

  /** Records that neither a file nor a checkpoint knows of. */
  #addGap(fromOffset: number, toOffset: number): void {
    const segment = this.#segment(fromOffset);
    this.#damages.replace(segment, [gapSegment(segment, toOffset)]);
    this.#segments.push(segment);
  }

  async #fileBytes(segment: Segment): Promise<number> {
    const handle = await segment.file.acquire({ create: false });
    try {
      return await handle.sizeBytes();
    } finally {
      segment.file.release();
    }
  }

  #segment(base: number): Segment {
    return new Segment(this.#ports.fileSystem, this.#options.directory, base);
  }
}
