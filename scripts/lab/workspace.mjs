/** What one scenario uses and leaves nothing of: a temporary directory, processes, clients. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Child } from "./child.mjs";
import { ForeignProcess } from "./foreign-process.mjs";

export class Workspace {
  directory;
  #isKept;
  #children = new Set();
  #foreigners = new Set();
  #closers = [];

  constructor({ isKept = false } = {}) {
    this.#isKept = isKept;
    this.directory = mkdtempSync(path.join(tmpdir(), "strandline-lab-"));
  }

  path(...parts) {
    return path.join(this.directory, ...parts);
  }

  newDirectory(name) {
    const directory = this.path(name);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }

  spawn(command, args, options) {
    const child = new Child(command, args, options);
    this.#children.add(child);
    child.ended.then(
      () => this.#children.delete(child),
      () => this.#children.delete(child),
    );
    return child;
  }

  /** Takes care of a process that one of ours started. */
  adopt(pid) {
    const foreigner = new ForeignProcess(pid);
    this.#foreigners.add(foreigner);
    return foreigner;
  }

  /** `close` is called when the scenario ends. */
  onClose(close) {
    this.#closers.push(close);
  }

  /** Leaves the directory for whoever wants to know what happened. */
  keep() {
    this.#isKept = true;
  }

  /** For an end without ceremony: processes and directory, at once. */
  closeNow() {
    for (const child of this.#children) child.signal("SIGKILL");
    for (const foreigner of this.#foreigners) foreigner.signal("SIGKILL");
    this.#removeDirectory();
  }

  async close() {
    const closing = Promise.allSettled(this.#closers.splice(0).map(async (close) => await close()));
    // A client may wait for brokers; those that it waits for are about to go.
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
    await Promise.allSettled([...this.#children].map(async (child) => await child.kill()));
    for (const foreigner of this.#foreigners) foreigner.signal("SIGKILL");
    this.#removeDirectory();
  }

  #removeDirectory() {
    if (this.#isKept) return;
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
