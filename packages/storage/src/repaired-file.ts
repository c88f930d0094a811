/**
 * Writes a segment anew around a repaired range, where the repair takes more or fewer bytes than
 * what was damaged: as replicas that are compacted, each for itself, have them.
 */
import type { FileHandle } from "@strandline/platform";
import { BATCH_HEADER_BYTES } from "@strandline/record";
import { checkpointLog } from "./checkpoint.js";
import type { Damage } from "./damage.js";
import { rebuildSegment } from "./index-files.js";
import { rollSegment } from "./log-append.js";
import type { LogContents } from "./log-contents.js";
import type { Segment } from "./segment.js";
import { CLEANED_SUFFIX } from "./segment-name.js";
import { swapSegments } from "./segment-swap.js";

const COPY_BYTES = 1024 * 1024;

/** Stands where batches are still damaged: no header is all zeros, so it is found again. */
const DAMAGED = new Uint8Array(BATCH_HEADER_BYTES);

export interface Repair {
  readonly batches: Uint8Array;
  /** How far the repair goes: at most to the end of the damage. */
  readonly endOffset: number;
}

/** Puts the batches in the place of the start of `damage`. Runs alone. */
export async function rewriteRepaired(
  log: LogContents,
  damage: Damage,
  repair: Repair,
): Promise<void> {
  const old = damage.segment;
  if (old === log.active) {
    // Nothing is appended to what is written anew.
    rollSegment(log);
    await checkpointLog(log, { isFinal: false });
  }
  const cleaned = log.newSegment(old.baseOffset);
  const { fileSystem } = log.ports;
  const path = `${cleaned.file.path}${CLEANED_SUFFIX}`;
  const handle = await fileSystem.open(path, { create: true });
  let damages: Damage[];
  try {
    await handle.truncate(0);
    damages = await new RepairedFile(handle, old, cleaned).write(log, damage, repair);
    await handle.dataSync();
    const logBytes = await handle.sizeBytes();
    const { indexIntervalBytes } = log.config;
    await rebuildSegment(cleaned, handle, { logBytes, indexIntervalBytes, holes: damages });
    cleaned.setEnd(logBytes, old.nextOffset);
  } finally {
    await handle.close();
  }
  await fileSystem.syncDirectory(log.directory);
  cleaned.isCreated = true;
  cleaned.firstAppendMs = old.firstAppendMs;
  cleaned.lastAppendMs = old.lastAppendMs;
  cleaned.seal();
  await swapSegments(log, [old], cleaned, damages);
}

class RepairedFile {
  readonly #handle: FileHandle;
  readonly #old: Segment;
  readonly #cleaned: Segment;
  readonly #damages: Damage[] = [];
  #sizeBytes = 0;

  constructor(handle: FileHandle, old: Segment, cleaned: Segment) {
    this.#handle = handle;
    this.#old = old;
    this.#cleaned = cleaned;
  }

  /** Writes everything that is good; returns what is still damaged. */
  async write(log: LogContents, damage: Damage, repair: Repair): Promise<Damage[]> {
    const isThere = await log.ports.fileSystem.exists(this.#old.file.path);
    const source = isThere ? await this.#old.file.acquire({ create: false }) : undefined;
    try {
      let from = 0;
      for (const one of log.damages.of(this.#old)) {
        await this.#copy(source, from, one.fromPosition);
        if (one === damage) await this.#append(repair.batches);
        const fromOffset = one === damage ? repair.endOffset : one.fromOffset;
        if (fromOffset < one.toOffset) await this.#leaveDamaged({ ...one, fromOffset });
        from = one.toPosition ?? this.#old.sizeBytes;
      }
      await this.#copy(source, from, this.#old.sizeBytes);
    } finally {
      if (source !== undefined) this.#old.file.release();
    }
    return this.#damages;
  }

  async #leaveDamaged(damage: Damage): Promise<void> {
    const fromPosition = this.#sizeBytes;
    await this.#append(DAMAGED);
    const toPosition = this.#sizeBytes;
    this.#damages.push({ ...damage, segment: this.#cleaned, fromPosition, toPosition });
  }

  async #copy(source: FileHandle | undefined, from: number, to: number): Promise<void> {
    if (source === undefined) return;
    for (let position = from; position < to; ) {
      const piece = new Uint8Array(Math.min(COPY_BYTES, to - position));
      const count = await source.read(piece, position);
      if (count === 0) return;
      await this.#append(piece.subarray(0, count));
      position += count;
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await this.#handle.write([bytes], this.#sizeBytes);
    this.#sizeBytes += bytes.length;
  }
}
