/** The bytes that a producer may hold: room is taken per record and given back per batch. */
export class SendBuffer {
  readonly bytesMax: number;
  #usedBytes = 0;
  /** Bytes of the records that wait for room. */
  #waitingBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** True while records wait for room: nobody may pass them by. */
  get isFull(): boolean {
    return this.#waitingBytes > 0;
  }

  /** Takes room when there is some. */
  tryTake(bytes: number): boolean {
    if (this.isFull || this.#usedBytes + bytes > this.bytesMax) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Gets in line; false when as much as the whole buffer stands there already. */
  tryWait(bytes: number): boolean {
    if (this.#waitingBytes + bytes > this.bytesMax) return false;
    this.#waitingBytes += bytes;
    return true;
  }

  /** Moves from the line into the buffer when there is room. */
  tryEnter(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.bytesMax) return false;
    this.#waitingBytes -= bytes;
    this.#usedBytes += bytes;
    return true;
  }

  leaveLine(bytes: number): void {
    this.#waitingBytes -= bytes;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
