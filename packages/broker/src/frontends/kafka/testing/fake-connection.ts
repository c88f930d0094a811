/** A connection of which a test is the other end. */
import type { ByteConnection } from "@strandline/platform";

export class FakeConnection implements ByteConnection {
  readonly remoteHost = "192.0.2.1";
  readonly localHost = "192.0.2.9";
  readonly localPort = 9092;
  /** What was written, one entry for each call. */
  readonly written: Uint8Array[] = [];
  /** Of the writes: that the peer has taken what was written. */
  readonly onTaken: (() => void)[] = [];
  isPaused = false;
  isDestroyed = false;
  /** False: the peer does not read. */
  hasRoom = true;

  allocate(length: number): Uint8Array {
    return new Uint8Array(length);
  }

  write(pieces: readonly Uint8Array[], onTaken: () => void = () => undefined): boolean {
    this.written.push(Buffer.concat(pieces));
    this.onTaken.push(onTaken);
    return this.hasRoom;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isDestroyed = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}
