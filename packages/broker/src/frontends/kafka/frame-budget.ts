/**
 * Memory for requests, shared by all connections: a large frame needs its share before it is read,
 * and gives it back when it is answered. Whoever must wait is not read meanwhile.
 *
 * Pure and synchronous. Shares are given for whole frames and in turn: one that was begun can always
 * be finished, so those who wait never wait for each other.
 */
export class FrameBudget {
  readonly #bytesMax: number;
  #usedBytes = 0;
  #waiting: { readonly sizeBytes: number; readonly onGranted: () => void }[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Takes `sizeBytes`, and returns true; or calls back once they are taken. A frame that is larger
   * than everything there is has its turn alone.
   */
  take(sizeBytes: number, onGranted: () => void): boolean {
    if (this.#waiting.length === 0 && this.#fits(sizeBytes)) {
      this.#usedBytes += sizeBytes;
      return true;
    }
    this.#waiting.push({ sizeBytes, onGranted });
    return false;
  }

  /** Who waited with `onGranted` has gone. */
  forget(onGranted: () => void): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.onGranted !== onGranted);
    this.#grant();
  }

  giveBack(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes;
    this.#grant();
  }

  #grant(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || !this.#fits(first.sizeBytes)) return;
      this.#waiting.shift();
      this.#usedBytes += first.sizeBytes;
      first.onGranted();
    }
  }

  #fits(sizeBytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + sizeBytes <= this.#bytesMax;
  }
}
