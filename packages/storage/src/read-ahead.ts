/**
 * Pieces of files that are read before they are asked for. Who reads a log from one end to the other
 * has the next piece in memory when it comes back for it, and the disk works while the network does.
 *
 * Bounded for all logs that share it. While all of it is in use nothing more is read ahead: pieces
 * that push each other out would be read twice. Only what nobody came for in time gives way.
 */
import { type BufferPool, type Clock, type Lease, release } from "@strandline/platform";

/** Who wants a piece is back within this time. */
const WAIT_MS_MAX = 1_000;

export interface AheadPlace {
  /** Whose offsets these are. Another one after the file was cut. */
  readonly owner: object;
  /** What its reader will ask for. */
  readonly offset: number;
  readonly position: number;
  readonly length: number;
}

interface Piece extends AheadPlace {
  readonly bytes: Uint8Array;
  readonly startedAtMs: number;
  /** False when the bytes could not be read, or not all of them. Never rejects. */
  readonly isRead: Promise<boolean>;
}

export class ReadAhead {
  readonly #clock: Clock;
  readonly #buffers: BufferPool;
  readonly #bytesMax: number;
  /** Oldest first. */
  readonly #pieces: Piece[] = [];
  #bytes = 0;

  constructor(ports: { clock: Clock; buffers: BufferPool }, bytesMax: number) {
    this.#clock = ports.clock;
    this.#buffers = ports.buffers;
    this.#bytesMax = bytesMax;
  }

  /** Bytes that were read or are being read, and that nobody has come for. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Begins to read a piece, if there is room for it. `read` fills what it is given. */
  begin(place: AheadPlace, read: (target: Uint8Array) => Promise<number>): void {
    this.#dropOverdue(place.length);
    if (this.#bytes + place.length > this.#bytesMax) return;
    const bytes = this.#buffers.take(place.length);
    const isRead = read(bytes).then(
      (count) => count === bytes.length,
      () => false,
    );
    const startedAtMs = this.#clock.monotonicMs();
    this.#pieces.push({ ...place, bytes, startedAtMs, isRead });
    this.#bytes += place.length;
  }

  /** The piece that was begun for this reader; its memory is the lease's then. */
  async take(
    owner: object,
    offset: number,
    lease: Lease,
  ): Promise<{ readonly position: number; readonly bytes: Uint8Array } | undefined> {
    const at = this.#pieces.findIndex((one) => one.owner === owner && one.offset === offset);
    const piece = at < 0 ? undefined : this.#remove(at);
    if (piece === undefined || !(await piece.isRead)) return undefined;
    const { position, bytes } = piece;
    lease.hold(bytes);
    release(bytes);
    return { position, bytes };
  }

  #dropOverdue(neededBytes: number): void {
    const beforeMs = this.#clock.monotonicMs() - WAIT_MS_MAX;
    while (this.#bytes + neededBytes > this.#bytesMax) {
      const oldest = this.#pieces[0];
      if (oldest === undefined || oldest.startedAtMs > beforeMs) return;
      this.#remove(0);
      void oldest.isRead.then(() => release(oldest.bytes));
    }
  }

  #remove(at: number): Piece | undefined {
    const [piece] = this.#pieces.splice(at, 1);
    if (piece !== undefined) this.#bytes -= piece.length;
    return piece;
  }
}
