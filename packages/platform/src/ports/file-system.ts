/**
 * Files, as a log needs them. Paths use `/`. Errors carry Node's `code` (ENOENT, ENOSPC, EIO …).
 *
 * Durability: bytes written are durable once `dataSync` or `writeDurably` resolved; a created, renamed or removed
 * name is durable once `syncDirectory` of its parent resolved. A failed sync says nothing about
 * which bytes reached the disk, and must not be retried.
 */
export interface FileSystem {
  /** Opens an existing file, or creates it with `create`. Reads and writes are positional. */
  open(path: string, options: { readonly create: boolean }): Promise<FileHandle>;
  /** Creates a directory and its missing parents. Returns whether the directory is a new one. */
  makeDirectory(path: string): Promise<boolean>;
  /** Names in a directory, sorted by code unit; empty when the directory does not exist. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  /** Replaces `to` when it exists. Atomic. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; no error when it does not exist. */
  remove(path: string): Promise<void>;
  /** Removes a directory with all it holds; no error when it does not exist. */
  removeDirectory(path: string): Promise<void>;
  /** Makes created, renamed and removed names in this directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Space on the file system that holds `path`; undefined where unknown. */
  space(path: string): Promise<DiskSpace | undefined>;
  /**
   * Resolves when what runs now has sent what it had to send. Work for the disk that waits for it
   * holds no message back, and takes along whatever else arrived meanwhile.
   */
  afterSends?(): Promise<void>;
}

export interface DiskSpace {
  readonly totalBytes: number;
  /** Free for this user. */
  readonly freeBytes: number;
}

export interface ReadOptions {
  /** Most likely nobody reads these bytes again soon: the system need not keep them in its cache. */
  readonly isLikelyOnly: boolean;
}

export interface WriteOptions {
  /** Most likely somebody reads these bytes soon: the system is to keep them in its cache. */
  readonly isLikelyRead: boolean;
}

/** One open file. The caller serialises its own writes; reads may overlap anything. */
export interface FileHandle {
  /** Fills `target` from `position` as far as the file goes; returns the bytes read. */
  read(target: Uint8Array, position: number, options?: ReadOptions): Promise<number>;
  /** Writes all chunks, one after the other, from `position`. They must not change meanwhile. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /**
   * As `write` and then `dataSync`, in one step where the system can. `position` is the end of the
   * file. Covers these bytes and the length they give the file, and nothing else: what was written
   * before must be durable already.
   */
  writeDurably(
    chunks: readonly Uint8Array[],
    position: number,
    options?: WriteOptions,
  ): Promise<void>;
  /** Makes the written bytes and the file's length durable. */
  dataSync(): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}
