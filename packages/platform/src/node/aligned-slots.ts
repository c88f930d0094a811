/**
 * Memory for reads and writes past the page cache: bounded, and at addresses that begin a page, as
 * the system wants it of them.
 */

/** Alignment of position, length and memory that every device takes. */
export const BLOCK_BYTES = 4096;
const WASM_PAGE_BYTES = 64 * 1024;

/** What the platform's types leave out. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};

export class AlignedSlots {
  readonly #count: number;
  readonly #slotBytes: number;
  #free: Uint8Array[] | undefined;
  #exist = false;
  readonly #waiting: ((slot: Uint8Array) => void)[] = [];

  /** `slotBytes` is a multiple of a block. Nothing is allocated before the first `take`. */
  constructor(count: number, slotBytes: number) {
    this.#count = count;
    this.#slotBytes = slotBytes;
  }

  /** Waits for its turn while all are in use. Undefined where there is no such memory. */
  async take(): Promise<Uint8Array | undefined> {
    if (this.#free === undefined) {
      this.#free = aligned(this.#count, this.#slotBytes);
      this.#exist = this.#free.length > 0;
    }
    const slot = this.#free.pop();
    if (slot !== undefined || !this.#exist) return slot;
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release(slot: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free?.push(slot);
    else next(slot);
  }
}

/** The memory of WebAssembly is the one kind whose address begins a page. */
function aligned(count: number, slotBytes: number): Uint8Array[] {
  const pages = Math.ceil((count * slotBytes) / WASM_PAGE_BYTES);
  try {
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    return Array.from(
      { length: count },
      (_, at) => new Uint8Array(buffer, at * slotBytes, slotBytes),
    );
  } catch {
    // An operating system that grants no more address space.
    return [];
  }
}
