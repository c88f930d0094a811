/**
 * A file system in memory that loses what was not synced, for tests.
 *
 * `crash` makes the file system that a machine finds after a power cut: durable names and bytes,
 * and of the rest whatever the given choice lets survive, in sectors and in any order. The old
 * one is dead from then on: whoever still uses it only gets errors.
 */
import type { FileHandle, FileSystem, ReadOptions, WriteOptions } from "@strandline/platform";

const SECTOR_BYTES = 512;

export type Operation =
  | "open"
  | "create"
  | "read"
  | "write"
  | "dataSync"
  | "truncate"
  | "rename"
  | "remove"
  | "syncDirectory"
  | "makeDirectory";

/** Uniform in [0, bound). */
export type Choose = (bound: number) => number;

type Change =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly sizeBytes: number };

class MemoryFile {
  bytes = new Uint8Array(0);
  durable = new Uint8Array(0);
  changes: Change[] = [];

  apply(change: Change): void {
    this.bytes = applied(this.bytes, change);
    this.changes.push(change);
  }

  /** Only what counts as dirty is written: what a failed sync has cleaned never will be. */
  sync(): void {
    let end = this.durable.length;
    for (const change of this.changes) {
      if (change.kind === "truncate") end = Math.max(end, change.sizeBytes);
      else end = Math.max(end, change.position + change.bytes.length);
    }
    const next = extended(this.durable, end);
    let sizeBytes = this.durable.length;
    for (const change of this.changes) {
      if (change.kind === "truncate") {
        next.fill(0, Math.min(sizeBytes, change.sizeBytes));
        sizeBytes = change.sizeBytes;
      } else {
        next.set(change.bytes, change.position);
        sizeBytes = Math.max(sizeBytes, change.position + change.bytes.length);
      }
    }
    this.durable = next.slice(0, sizeBytes);
    this.changes = [];
  }

  /** What a crash leaves. */
  survivor(choose: Choose): MemoryFile {
    const file = new MemoryFile();
    let bytes = this.durable;
    for (const change of this.changes) {
      if (change.kind === "truncate") {
        if (choose(2) === 0) bytes = applied(bytes, change);
        continue;
      }
      for (const part of sectors(change)) {
        if (choose(3) > 0) bytes = applied(bytes, part);
        // The length may have reached the disk without the bytes.
        else if (choose(2) === 0) bytes = extended(bytes, part.position + part.bytes.length);
      }
    }
    file.bytes = bytes.slice();
    file.durable = bytes.slice();
    return file;
  }
}

type NameChange =
  | { readonly kind: "create"; readonly path: string; readonly node: MemoryFile | "directory" }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string };

type Names = Map<string, MemoryFile | "directory">;

export class MemoryFileSystem implements FileSystem {
  readonly #names: Names = new Map();
  readonly #durableNames: Names = new Map();
  #nameChanges: NameChange[] = [];
  #isDead = false;
  /** Operations so far, of all kinds but reads. */
  operationCount = 0;
  /** Called before each operation; fails it by throwing. */
  before: ((operation: Operation, path: string) => void) | undefined;
  /** Waited for before each operation: lets a test hold the disk. */
  gate: ((operation: Operation, path: string) => Promise<void>) | undefined;

  /** What was said of the last read and the last durable write. */
  lastRead: ReadOptions | undefined;
  lastWrite: WriteOptions | undefined;

  /** Waited for between the reading of bytes and their delivery. */
  afterRead: ((path: string) => Promise<void>) | undefined;

  constructor() {
    this.#names.set("/", "directory");
    this.#durableNames.set("/", "directory");
  }

  async open(path: string, options: { readonly create: boolean }): Promise<FileHandle> {
    const isThere = this.#names.has(path);
    await this.#step(isThere || !options.create ? "open" : "create", path);
    const node = this.#names.get(path);
    if (node instanceof MemoryFile) return new MemoryHandle(this, path, node);
    if (node === "directory") throw failure("EISDIR", path);
    if (!options.create) throw failure("ENOENT", path);
    this.#requireParent(path);
    const file = new MemoryFile();
    this.#change({ kind: "create", path, node: file });
    return new MemoryHandle(this, path, file);
  }

  async makeDirectory(path: string): Promise<boolean> {
    await this.#step("makeDirectory", path);
    const isNew = !this.#names.has(path);
    const parts = path.split("/").slice(1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const parent = `/${parts.slice(0, depth).join("/")}`;
      if (this.#names.has(parent)) continue;
      this.#change({ kind: "create", path: parent, node: "directory" });
    }
    return isNew;
  }

  async list(path: string): Promise<string[]> {
    await this.#step("read", path);
    return this.names(path);
  }

  async exists(path: string): Promise<boolean> {
    await this.#step("read", path);
    return this.#names.has(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step("rename", from);
    if (!this.#names.has(from)) throw failure("ENOENT", from);
    this.#change({ kind: "rename", from, to });
  }

  async remove(path: string): Promise<void> {
    await this.#step("remove", path);
    if (this.#names.has(path)) this.#change({ kind: "remove", path });
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#step("remove", path);
    for (const name of [...this.#names.keys()]) {
      if (name === path || name.startsWith(`${path}/`))
        this.#change({ kind: "remove", path: name });
    }
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#step("syncDirectory", path);
    const isIn = (change: NameChange): boolean =>
      parentOf(change.kind === "rename" ? change.to : change.path) === path;
    for (const change of this.#nameChanges) {
      if (isIn(change)) applyName(this.#durableNames, change);
    }
    this.#nameChanges = this.#nameChanges.filter((change) => !isIn(change));
  }

  space(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Names in a directory, without an operation. */
  names(path: string): string[] {
    const inside = [...this.#names.keys()].filter(
      (name) => name !== "/" && parentOf(name) === path,
    );
    return inside.map((name) => name.slice(name.lastIndexOf("/") + 1)).sort();
  }

  /** The bytes of a file, to look at or to spoil. */
  bytes(path: string): Uint8Array {
    const node = this.#names.get(path);
    if (!(node instanceof MemoryFile)) throw failure("ENOENT", path);
    return node.bytes;
  }

  /** Replaces a file's bytes, durably and behind everybody's back. */
  put(path: string, bytes: Uint8Array): void {
    const node = this.#names.get(path);
    const file = node instanceof MemoryFile ? node : new MemoryFile();
    file.bytes = bytes.slice();
    file.durable = bytes.slice();
    file.changes = [];
    this.#names.set(path, file);
    this.#durableNames.set(path, file);
  }

  /** Makes a directory and its parents, durably and behind everybody's back. */
  putDirectory(path: string): void {
    if (path !== "/") this.putDirectory(parentOf(path));
    this.#set(path, "directory");
  }

  /** Removes a file, durably and behind everybody's back. */
  drop(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
    this.#nameChanges = this.#nameChanges.filter(
      (change) => change.kind === "rename" || change.path !== path,
    );
  }

  /** A power cut. */
  crash(choose: Choose): MemoryFileSystem {
    this.#isDead = true;
    const next = new MemoryFileSystem();
    const names: Names = new Map(this.#durableNames);
    for (const change of this.#nameChanges) {
      if (choose(2) === 0) applyName(names, change);
    }
    const survivors = new Map<MemoryFile, MemoryFile>();
    for (const [path, node] of names) {
      if (path !== "/" && !names.has(parentOf(path))) continue;
      if (node === "directory") {
        next.#set(path, node);
        continue;
      }
      const survivor = survivors.get(node) ?? node.survivor(choose);
      survivors.set(node, survivor);
      next.#set(path, survivor);
    }
    return next;
  }

  /** The process was killed: everything written is there, and nothing more will be. */
  kill(): MemoryFileSystem {
    return this.#copy((file) => file.bytes);
  }

  #copy(contents: (file: MemoryFile) => Uint8Array): MemoryFileSystem {
    this.#isDead = true;
    const next = new MemoryFileSystem();
    const copies = new Map<MemoryFile, MemoryFile>();
    const copyOf = (node: MemoryFile | "directory"): MemoryFile | "directory" => {
      if (node === "directory") return node;
      const known = copies.get(node);
      if (known !== undefined) return known;
      const file = new MemoryFile();
      file.bytes = contents(node).slice();
      // In the page cache only: another crash may still take what was not synced.
      file.durable = node.durable.slice();
      file.changes = [...node.changes];
      copies.set(node, file);
      return file;
    };
    for (const [path, node] of this.#names) next.#names.set(path, copyOf(node));
    // Not by path: another file may have been renamed to it since.
    for (const [path, node] of this.#durableNames) next.#durableNames.set(path, copyOf(node));
    next.#nameChanges = this.#nameChanges.map((change) =>
      change.kind === "create" ? { ...change, node: copyOf(change.node) } : change,
    );
    return next;
  }

  #set(path: string, node: MemoryFile | "directory"): void {
    this.#names.set(path, node);
    this.#durableNames.set(path, node);
  }

  #change(change: NameChange): void {
    applyName(this.#names, change);
    this.#nameChanges.push(change);
  }

  #requireParent(path: string): void {
    if (this.#names.get(parentOf(path)) !== "directory") throw failure("ENOENT", path);
  }

  /** Internal: for the handles. */
  async step(operation: Operation, path: string): Promise<void> {
    await this.#step(operation, path);
  }

  async #step(operation: Operation, path: string): Promise<void> {
    if (this.#isDead) throw failure("ECRASHED", path);
    if (operation !== "read" && operation !== "open") this.operationCount += 1;
    this.before?.(operation, path);
    await this.gate?.(operation, path);
    if (this.#isDead) throw failure("ECRASHED", path);
  }
}

class MemoryHandle implements FileHandle {
  readonly #fileSystem: MemoryFileSystem;
  readonly #path: string;
  readonly #file: MemoryFile;
  #isClosed = false;

  constructor(fileSystem: MemoryFileSystem, path: string, file: MemoryFile) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#file = file;
  }

  async read(target: Uint8Array, position: number, options?: ReadOptions): Promise<number> {
    await this.#step("read");
    this.#fileSystem.lastRead = options;
    const source = this.#file.bytes.subarray(position, position + target.length);
    target.set(source);
    await this.#fileSystem.afterRead?.(this.#path);
    return source.length;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const bytes = joined(chunks);
    try {
      await this.#step("write");
    } catch (error) {
      // A failed write may have written something.
      if (!this.#isClosed) {
        const half = bytes.slice(0, bytes.length >> 1);
        this.#file.apply({ kind: "write", position, bytes: half });
      }
      throw error;
    }
    this.#file.apply({ kind: "write", position, bytes });
  }

  async writeDurably(
    chunks: readonly Uint8Array[],
    position: number,
    options?: WriteOptions,
  ): Promise<void> {
    this.#fileSystem.lastWrite = options;
    if (this.#file.changes.length > 0) throw new Error("a durable write covers only its own bytes");
    await this.write(chunks, position);
    await this.dataSync();
  }

  async dataSync(): Promise<void> {
    try {
      await this.#step("dataSync");
    } catch (error) {
      // As Linux does it: the pages count as clean, whether they reached the disk or not.
      this.#file.changes = [];
      throw error;
    }
    this.#file.sync();
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#step("truncate");
    this.#file.apply({ kind: "truncate", sizeBytes });
  }

  async sizeBytes(): Promise<number> {
    await this.#step("read");
    return this.#file.bytes.length;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  async #step(operation: Operation): Promise<void> {
    if (this.#isClosed) throw failure("EBADF", this.#path);
    await this.#fileSystem.step(operation, this.#path);
  }
}

function applyName(names: Names, change: NameChange): void {
  if (change.kind === "create") names.set(change.path, change.node);
  else if (change.kind === "remove") names.delete(change.path);
  else {
    const moved = [...names].filter(
      ([path]) => path === change.from || path.startsWith(`${change.from}/`),
    );
    for (const [path, node] of moved) {
      names.delete(path);
      names.set(`${change.to}${path.slice(change.from.length)}`, node);
    }
  }
}

function sectors(change: { position: number; bytes: Uint8Array }): {
  kind: "write";
  position: number;
  bytes: Uint8Array;
}[] {
  const parts: { kind: "write"; position: number; bytes: Uint8Array }[] = [];
  let at = 0;
  while (at < change.bytes.length) {
    const position = change.position + at;
    const length = Math.min(SECTOR_BYTES - (position % SECTOR_BYTES), change.bytes.length - at);
    parts.push({ kind: "write", position, bytes: change.bytes.subarray(at, at + length) });
    at += length;
  }
  return parts;
}

function applied(bytes: Uint8Array, change: Change): Uint8Array<ArrayBuffer> {
  if (change.kind === "truncate") {
    const cut = new Uint8Array(change.sizeBytes);
    cut.set(bytes.subarray(0, change.sizeBytes));
    return cut;
  }
  const next = extended(bytes, change.position + change.bytes.length).slice();
  next.set(change.bytes, change.position);
  return next;
}

function extended(bytes: Uint8Array, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(Math.max(bytes.length, sizeBytes));
  next.set(bytes);
  return next;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

export function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
