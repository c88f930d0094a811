/**
 * One segment's log file, opened when it is needed and closed when nobody uses it.
 *
 * Users hold references. A file that left the log (deleted or truncated away) is retired: who
 * still reads it may finish, because an open file outlives its name, and nobody can begin.
 */
import { assert } from "@strandline/model";
import type { FileHandle, FileSystem } from "@strandline/platform";

export class SegmentFile {
  readonly path: string;
  readonly #fileSystem: FileSystem;
  #handle: FileHandle | undefined;
  #opening: Promise<FileHandle> | undefined;
  #references = 0;
  #isRetired = false;
  #onRetired: (() => void) | undefined;

  constructor(fileSystem: FileSystem, path: string) {
    this.#fileSystem = fileSystem;
    this.path = path;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** The open file, until `release`. Fails as `open` does, and once the file is retired. */
  async acquire(options: { readonly create: boolean }): Promise<FileHandle> {
    if (this.#isRetired) throw new RetiredFileError(`${this.path} is no longer part of the log`);
    this.#references += 1;
    try {
      if (this.#handle !== undefined) return this.#handle;
      this.#opening ??= this.#fileSystem.open(this.path, options);
      this.#handle = await this.#opening;
      return this.#handle;
    } catch (error) {
      this.release();
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  release(): void {
    assert(this.#references > 0, "a file is released once per acquisition");
    this.#references -= 1;
    if (this.#references === 0 && this.#isRetired) this.#close();
  }

  /** Closes the file if nobody uses it. It opens again when it is needed. */
  closeIdle(): void {
    if (this.#references === 0) this.#close();
  }

  /** No new users. Resolves when the last one is gone and the file is closed. Idempotent. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#references === 0) {
      this.#close();
      return;
    }
    const before = this.#onRetired;
    await new Promise<void>((resolve) => {
      this.#onRetired = () => {
        before?.();
        resolve();
      };
    });
  }

  #close(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    const done = this.#onRetired;
    this.#onRetired = undefined;
    if (handle === undefined) {
      done?.();
      return;
    }
    // A failed close loses nothing: what counts was synced, and the descriptor is gone anyway.
    handle.close().then(
      () => done?.(),
      () => done?.(),
    );
  }
}

/** A reader came too late: the file has left the log. */
export class RetiredFileError extends Error {
  override readonly name = "RetiredFileError";
}
