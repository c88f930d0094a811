/**
 * The file system of one machine: a tree of names over files. It outlives processes.
 *
 * A name that was created, moved or removed is durable once its directory was synced, and not by a
 * sync of the file. A power cut keeps any part of the changes that were not, as long as a change
 * never survives one that it rests on. A move is atomic: both its names change, or none.
 */
import type { SimRandom } from "../random.js";
import { ioError } from "./io-error.js";
import { SimFile } from "./sim-file.js";

type Inode = SimFile | Directory;

class Directory {
  readonly number: number;
  readonly current = new Map<string, Inode>();
  readonly durable = new Map<string, Inode>();

  constructor(number: number) {
    this.number = number;
  }
}

/** A name gets a meaning, or loses it. */
interface Slot {
  readonly directory: Directory;
  readonly name: string;
  readonly inode: Inode | undefined;
}

/** Slots that change together, all or none. */
interface NameChange {
  readonly number: number;
  readonly slots: readonly Slot[];
}

const LOSS_MODES = ["none", "all", "prefix", "prefix", "subset", "subset"] as const;

export class SimDisk {
  readonly #root = new Directory(0);
  #directoryCount = 1;
  #unsynced: NameChange[] = [];
  #changeCount = 0;

  /** Where a sync of a directory that starts now will reach to. */
  get mark(): number {
    return this.#changeCount;
  }

  /** The file at `path`; created where missing if `create` says so. */
  open(path: string, create: boolean): SimFile {
    const { directory, name } = this.#parentOf(path, "open");
    const found = directory.current.get(name);
    if (found instanceof Directory) throw ioError("EISDIR", "open", path);
    if (found !== undefined) return found;
    if (!create) throw ioError("ENOENT", "open", path);
    const file = new SimFile();
    this.#change([{ directory, name, inode: file }]);
    return file;
  }

  /** Returns whether the directory is a new one. */
  makeDirectory(path: string): boolean {
    let directory = this.#root;
    let isNew = false;
    for (const name of segmentsOf(path)) {
      let next = directory.current.get(name);
      if (next === undefined) {
        next = new Directory(this.#directoryCount++);
        isNew = true;
        this.#change([{ directory, name, inode: next }]);
      }
      if (next instanceof SimFile) throw ioError("ENOTDIR", "mkdir", path);
      directory = next;
    }
    return isNew;
  }

  list(path: string): string[] {
    const directory = this.#find(path);
    if (directory === undefined) return [];
    if (directory instanceof SimFile) throw ioError("ENOTDIR", "scandir", path);
    return [...directory.current.keys()].sort(byCodeUnit);
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  rename(from: string, to: string): void {
    const source = this.#parentOf(from, "rename");
    const target = this.#parentOf(to, "rename");
    const inode = source.directory.current.get(source.name);
    if (inode === undefined) throw ioError("ENOENT", "rename", from);
    const replaced = target.directory.current.get(target.name);
    if (replaced === inode) return;
    if (replaced instanceof Directory && replaced.current.size > 0) {
      throw ioError("ENOTEMPTY", "rename", to);
    }
    this.#change([
      { ...source, inode: undefined },
      { ...target, inode },
    ]);
  }

  remove(path: string): void {
    const segments = segmentsOf(path);
    const parent = this.#walk(segments.slice(0, -1));
    const name = segments.at(-1);
    if (!(parent instanceof Directory) || name === undefined) return;
    const inode = parent.current.get(name);
    if (inode === undefined) return;
    if (inode instanceof Directory) throw ioError("EISDIR", "unlink", path);
    this.#change([{ directory: parent, name, inode: undefined }]);
  }

  removeDirectory(path: string): void {
    const directory = this.#find(path);
    if (directory === undefined) return;
    if (directory instanceof SimFile) throw ioError("ENOTDIR", "rmdir", path);
    this.#removeContent(directory);
    const parent = this.#parentOf(path, "rmdir");
    this.#change([{ ...parent, inode: undefined }]);
  }

  /** The names that changed in this directory up to `mark` reach the disk. */
  syncDirectory(path: string, mark: number): void {
    const directory = this.#find(path);
    if (directory === undefined) throw ioError("ENOENT", "fsync", path);
    if (directory instanceof SimFile) throw ioError("ENOTDIR", "fsync", path);
    // Backwards, so that a change takes along the earlier ones that touch the same names.
    const needed = new Set<string>();
    const chosen = new Set<NameChange>();
    for (const change of [...this.#unsynced].reverse()) {
      if (change.number >= mark) continue;
      const isOwn = change.slots.some((slot) => slot.directory === directory);
      if (!isOwn && !change.slots.some((slot) => needed.has(slotKey(slot)))) continue;
      chosen.add(change);
      for (const slot of change.slots) needed.add(slotKey(slot));
    }
    for (const change of this.#unsynced) if (chosen.has(change)) applyDurably(change);
    this.#unsynced = this.#unsynced.filter((change) => !chosen.has(change));
  }

  /** The power was cut: names and contents are what the disk holds. */
  loseUnsynced(random: SimRandom): void {
    const mode = random.pick(LOSS_MODES);
    const reached = random.below(this.#unsynced.length + 1);
    const lost = new Set<string>();
    for (const [index, change] of this.#unsynced.entries()) {
      const isLucky = random.chance(0.5);
      const survives =
        mode === "all" || (mode === "prefix" && index < reached) || (mode === "subset" && isLucky);
      if (survives && !change.slots.some((slot) => lost.has(slotKey(slot)))) applyDurably(change);
      else for (const slot of change.slots) lost.add(slotKey(slot));
    }
    this.#unsynced = [];
    restore(this.#root, random);
  }

  /** Bytes that all files hold together. */
  usedBytes(): number {
    let usedBytes = 0;
    for (const { file } of this.files()) usedBytes += file.lengthBytes;
    return usedBytes;
  }

  /** Every file with its path, for tests and faults. */
  files(): { readonly path: string; readonly file: SimFile }[] {
    const found: { path: string; file: SimFile }[] = [];
    const visit = (directory: Directory, prefix: string): void => {
      for (const [name, inode] of directory.current) {
        const path = `${prefix}/${name}`;
        if (inode instanceof SimFile) found.push({ path, file: inode });
        else visit(inode, path);
      }
    };
    visit(this.#root, "");
    return found;
  }

  #removeContent(directory: Directory): void {
    for (const [name, inode] of directory.current) {
      if (inode instanceof Directory) this.#removeContent(inode);
      this.#change([{ directory, name, inode: undefined }]);
    }
  }

  #change(slots: readonly Slot[]): void {
    for (const { directory, name, inode } of slots) {
      if (inode === undefined) directory.current.delete(name);
      else directory.current.set(name, inode);
    }
    this.#unsynced.push({ number: this.#changeCount++, slots });
  }

  #find(path: string): Inode | undefined {
    return this.#walk(segmentsOf(path));
  }

  #walk(segments: readonly string[]): Inode | undefined {
    let inode: Inode = this.#root;
    for (const name of segments) {
      const next: Inode | undefined =
        inode instanceof Directory ? inode.current.get(name) : undefined;
      if (next === undefined) return undefined;
      inode = next;
    }
    return inode;
  }

  #parentOf(path: string, operation: string): { directory: Directory; name: string } {
    const segments = segmentsOf(path);
    const name = segments.at(-1);
    if (name === undefined) throw ioError("EBUSY", operation, path);
    const directory = this.#walk(segments.slice(0, -1));
    if (directory === undefined) throw ioError("ENOENT", operation, path);
    if (directory instanceof SimFile) throw ioError("ENOTDIR", operation, path);
    return { directory, name };
  }
}

function restore(directory: Directory, random: SimRandom): void {
  directory.current.clear();
  for (const [name, inode] of directory.durable) {
    directory.current.set(name, inode);
    if (inode instanceof SimFile) inode.loseUnsynced(random);
    else restore(inode, random);
  }
}

function applyDurably(change: NameChange): void {
  for (const { directory, name, inode } of change.slots) {
    if (inode === undefined) directory.durable.delete(name);
    else directory.durable.set(name, inode);
  }
}

function slotKey(slot: Slot): string {
  return `${slot.directory.number}/${slot.name}`;
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}

function byCodeUnit(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
