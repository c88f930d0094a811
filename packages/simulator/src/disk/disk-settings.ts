/** How fast the disks of a world are, and how one of them misbehaves right now. */
import { assert } from "@strandline/model";
import type { SimRandom } from "../random.js";

/** Both ends inclusive. Microseconds. */
export type RangeUs = readonly [minUs: number, maxUs: number];

export interface DiskSettings {
  readUs: RangeUs;
  writeUs: RangeUs;
  syncUs: RangeUs;
  /** Creating, moving, removing, listing. */
  nameUs: RangeUs;
  /** Share of operations that take `slowFactor` times as long. */
  slowChance: number;
  slowFactor: number;
}

/** A local solid-state disk. */
export const DISK_DEFAULTS: Readonly<DiskSettings> = {
  readUs: [20, 150],
  writeUs: [10, 100],
  syncUs: [100, 2_000],
  nameUs: [20, 200],
  slowChance: 0.01,
  slowFactor: 20,
};

/** No operation takes longer, however slow the disk: what is under way must end after a heal. */
const OPERATION_US_MAX = 5_000_000;

export type DiskOperation = "read" | "write" | "sync" | "name";

/** What is wrong with one machine's disk. Everything here may change at any time. */
export class DiskFaults {
  /** Bytes the disk holds at most; undefined without a bound. */
  capacityBytes: number | undefined;
  /** Operations take this many times as long. */
  slowness = 1;
  /** Share of operations of each kind that fail with EIO. */
  readonly errorChance: Record<DiskOperation, number> = { read: 0, write: 0, sync: 0, name: 0 };
  readonly #failNext = new Map<DiskOperation, number>();
  #onSync: ((delayUs: number) => number) | undefined;

  /** The `ordinal`-th operation of this kind from now on fails with EIO; 1 is the next one. */
  failNext(operation: DiskOperation, ordinal = 1): void {
    assert(ordinal >= 1, "the next operation is number 1");
    this.#failNext.set(operation, ordinal);
  }

  /** Calls `hook` once, when the next sync begins; it takes as long as the hook returns. */
  onNextSync(hook: (delayUs: number) => number): void {
    this.#onSync = hook;
  }

  /** A sync begins that would take so long; returns how long it takes. Microseconds. */
  beginSync(delayUs: number): number {
    const hook = this.#onSync;
    this.#onSync = undefined;
    return hook === undefined ? delayUs : hook(delayUs);
  }

  /** The disk works again. What it lost stays lost. */
  heal(): void {
    this.capacityBytes = undefined;
    this.slowness = 1;
    this.#failNext.clear();
    this.#onSync = undefined;
    for (const operation of ["read", "write", "sync", "name"] as const) {
      this.errorChance[operation] = 0;
    }
  }

  /** Asked once per operation: whether it fails. */
  isFailing(operation: DiskOperation, random: SimRandom): boolean {
    const isUnlucky = random.chance(this.errorChance[operation]);
    const ordinal = this.#failNext.get(operation);
    if (ordinal === undefined) return isUnlucky;
    if (ordinal > 1) this.#failNext.set(operation, ordinal - 1);
    else this.#failNext.delete(operation);
    return isUnlucky || ordinal === 1;
  }
}

/** Draws how long one operation takes. */
export function drawDiskLatencyUs(
  operation: DiskOperation,
  disk: { readonly settings: DiskSettings; readonly faults: DiskFaults },
  random: SimRandom,
): number {
  const { settings, faults } = disk;
  const [minUs, maxUs] = rangeOf(operation, settings);
  const baseUs = random.between(minUs, maxUs);
  const isSlow = random.chance(settings.slowChance);
  const slowness = faults.slowness * (isSlow ? settings.slowFactor : 1);
  const delayUs = Math.min(OPERATION_US_MAX, Math.ceil(baseUs * slowness));
  return operation === "sync" ? faults.beginSync(delayUs) : delayUs;
}

function rangeOf(operation: DiskOperation, settings: DiskSettings): RangeUs {
  switch (operation) {
    case "read":
      return settings.readUs;
    case "write":
      return settings.writeUs;
    case "sync":
      return settings.syncUs;
    case "name":
      return settings.nameUs;
  }
}
