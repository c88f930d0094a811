/**
 * The `FileSystem` port of one process on a simulated disk: every operation takes its time, takes
 * effect at its end, and may fail. A failed write has written some of its bytes.
 */
import { crc32c, type DiskSpace, type FileHandle, type FileSystem } from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { SimRandom } from "../random.js";
import {
  type DiskFaults,
  type DiskOperation,
  type DiskSettings,
  drawDiskLatencyUs,
} from "./disk-settings.js";
import { ioError } from "./io-error.js";
import type { SimDisk } from "./sim-disk.js";
import type { SimFile } from "./sim-file.js";

/** One machine's disk as its processes share it. */
export interface DiskPorts {
  readonly incarnation: Incarnation;
  readonly disk: SimDisk;
  readonly settings: DiskSettings;
  readonly faults: DiskFaults;
  readonly random: SimRandom;
}

export class SimFileSystem implements FileSystem {
  readonly #ports: DiskPorts;

  constructor(ports: DiskPorts) {
    this.#ports = ports;
  }

  open(path: string, options: { readonly create: boolean }): Promise<FileHandle> {
    return this.#named("open", path, () => {
      return new SimFileHandle(this.#ports, path, this.#ports.disk.open(path, options.create));
    });
  }

  makeDirectory(path: string): Promise<boolean> {
    return this.#named("mkdir", path, () => this.#ports.disk.makeDirectory(path));
  }

  list(path: string): Promise<string[]> {
    return this.#named("scandir", path, () => this.#ports.disk.list(path));
  }

  exists(path: string): Promise<boolean> {
    return this.#named("access", path, () => this.#ports.disk.exists(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#named("rename", from, () => this.#ports.disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#named("unlink", path, () => this.#ports.disk.remove(path));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#named("rmdir", path, () => this.#ports.disk.removeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    const { disk } = this.#ports;
    const { mark } = disk;
    return operate(this.#ports, "sync", { kind: "fs-sync-directory" }, () => {
      this.#failIfDue("sync", "fsync", path);
      disk.syncDirectory(path, mark);
    });
  }

  space(path: string): Promise<DiskSpace | undefined> {
    return this.#named("statfs", path, () => {
      const { capacityBytes } = this.#ports.faults;
      if (capacityBytes === undefined) return undefined;
      const freeBytes = Math.max(0, capacityBytes - this.#ports.disk.usedBytes());
      return { totalBytes: capacityBytes, freeBytes };
    });
  }

  #named<Result>(operation: string, path: string, effect: () => Result): Promise<Result> {
    return operate(this.#ports, "name", { kind: `fs-${operation}` }, () => {
      this.#failIfDue("name", operation, path);
      return effect();
    });
  }

  #failIfDue(kind: DiskOperation, operation: string, path: string): void {
    const { faults, random } = this.#ports;
    if (faults.isFailing(kind, random)) throw ioError("EIO", operation, path);
  }
}

class SimFileHandle implements FileHandle {
  readonly #ports: DiskPorts;
  readonly #path: string;
  readonly #file: SimFile;
  #isClosed = false;
  #changesInFlight = 0;

  constructor(ports: DiskPorts, path: string, file: SimFile) {
    this.#ports = ports;
    this.#path = path;
    this.#file = file;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return operate(this.#ports, "read", { kind: "fs-read", detail: position }, () => {
      this.#check("read", "read");
      return this.#file.read(target, position);
    });
  }

  write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const bytes = joined(chunks);
    this.#beginChange();
    const what = { kind: "fs-write", detail: crc32c(bytes) };
    return operate(this.#ports, "write", what, () => {
      this.#changesInFlight--;
      if (!isSame(bytes, chunks)) {
        this.#ports.incarnation.breach(`bytes changed while being written to ${this.#path}`);
      }
      this.#write(bytes, position);
    });
  }

  /** Two steps, so that a crash may come between them: what is torn then is a torn write. */
  async writeDurably(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const { incarnation } = this.#ports;
    if (incarnation.isAlive && this.#file.hasUnsynced) {
      incarnation.breach(`a durable write covers only its own bytes: ${this.#path}`);
    }
    await this.write(chunks, position);
    await this.dataSync();
  }

  dataSync(): Promise<void> {
    // Only what is complete now is sure to be covered; a write in flight may come too late.
    const { mark } = this.#file;
    return operate(this.#ports, "sync", { kind: "fs-sync", detail: mark }, () => {
      this.#checkOpen("fdatasync");
      if (this.#ports.faults.isFailing("sync", this.#ports.random)) {
        this.#file.failSync(mark, this.#ports.random);
        throw ioError("EIO", "fdatasync", this.#path);
      }
      this.#file.makeDurable(mark);
    });
  }

  truncate(lengthBytes: number): Promise<void> {
    this.#beginChange();
    const what = { kind: "fs-truncate", detail: lengthBytes };
    return operate(this.#ports, "write", what, () => {
      this.#changesInFlight--;
      this.#check("write", "ftruncate");
      this.#file.truncate(lengthBytes);
    });
  }

  sizeBytes(): Promise<number> {
    return operate(this.#ports, "name", { kind: "fs-stat" }, () => {
      this.#check("name", "fstat");
      return this.#file.lengthBytes;
    });
  }

  close(): Promise<void> {
    return operate(this.#ports, "name", { kind: "fs-close" }, () => {
      this.#isClosed = true;
    });
  }

  #beginChange(): void {
    if (this.#changesInFlight > 0) {
      this.#ports.incarnation.breach(`two changes of ${this.#path} are in flight at once`);
    }
    this.#changesInFlight++;
  }

  #write(bytes: Uint8Array, position: number): void {
    this.#checkOpen("write");
    const { faults, random, disk } = this.#ports;
    if (faults.isFailing("write", random)) {
      this.#file.write(position, bytes.slice(0, random.below(bytes.length + 1)));
      throw ioError("EIO", "write", this.#path);
    }
    if (faults.capacityBytes !== undefined) {
      const growth = Math.max(0, position + bytes.length - this.#file.lengthBytes);
      const free = Math.max(0, faults.capacityBytes - disk.usedBytes());
      if (growth > free) {
        this.#file.write(position, bytes.slice(0, Math.max(0, bytes.length - (growth - free))));
        throw ioError("ENOSPC", "write", this.#path);
      }
    }
    this.#file.write(position, bytes);
  }

  #check(kind: DiskOperation, operation: string): void {
    this.#checkOpen(operation);
    const { faults, random } = this.#ports;
    if (faults.isFailing(kind, random)) throw ioError("EIO", operation, this.#path);
  }

  #checkOpen(operation: string): void {
    if (this.#isClosed) throw ioError("EBADF", operation, this.#path);
  }
}

function operate<Result>(
  ports: DiskPorts,
  operation: DiskOperation,
  what: { readonly kind: string; readonly detail?: number },
  effect: () => Result,
): Promise<Result> {
  const { incarnation } = ports;
  if (!incarnation.isAlive) return new Promise(() => undefined);
  const delayUs = drawDiskLatencyUs(operation, ports, ports.random);
  return incarnation.operate(delayUs, { ...what, effect });
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0;
  for (const chunk of chunks) sizeBytes += chunk.length;
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function isSame(bytes: Uint8Array, chunks: readonly Uint8Array[]): boolean {
  let at = 0;
  for (const chunk of chunks) {
    if (Buffer.compare(bytes.subarray(at, at + chunk.length), chunk) !== 0) return false;
    at += chunk.length;
  }
  return at === bytes.length;
}
