/**
 * One process that was started here, ended by its own pid. Whatever happens, no process outlives
 * this one: those still alive are killed as it exits.
 */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";

/** Kept of what a process said on standard error. Characters. */
const SAID_MAX = 64 * 1024;

const living = new Set();

process.on("exit", () => {
  for (const child of living) child.signal("SIGKILL");
});

export class Child {
  /** Resolves with `{ code, signal }` once the process is gone and its output was read. */
  ended;
  /** The end of what it said on standard error. */
  stderr = "";
  #process;
  #chunks;
  #hasExited = false;

  /**
   * `stdout`: "collect" keeps it whole, a function gets it piece by piece; otherwise it goes to
   * `logFile`, or nowhere.
   */
  constructor(command, args, { logFile, stdout = "log", env, cwd } = {}) {
    this.#process = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, STRANDLINE_BROKERS: undefined, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    living.add(this);
    const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: "a" });
    this.#chunks = stdout === "collect" ? [] : undefined;
    const take = typeof stdout === "function" ? stdout : undefined;
    // A character may lie in two pieces.
    if (take !== undefined) this.#process.stdout.setEncoding("utf8");
    this.#process.stdout.on("data", (chunk) => {
      this.#chunks?.push(chunk);
      take?.(chunk);
      log?.write(chunk);
    });
    this.#process.stderr.on("data", (chunk) => {
      this.stderr = (this.stderr + chunk).slice(-SAID_MAX);
      log?.write(chunk);
    });
    // Writing to a process that has just died is no failure of ours.
    this.#process.stdin.on("error", () => undefined);
    this.#process.once("exit", () => {
      this.#hasExited = true;
      living.delete(this);
    });
    this.ended = new Promise((resolve, reject) => {
      this.#process.once("error", (error) => {
        living.delete(this);
        reject(error);
      });
      this.#process.once("close", (code, signal) => {
        log?.end();
        resolve({ code, signal });
      });
    });
    this.ended.catch(() => undefined);
  }

  get pid() {
    return this.#process.pid;
  }

  get isAlive() {
    return !this.#hasExited && this.pid !== undefined;
  }

  get stdin() {
    return this.#process.stdin;
  }

  /** Everything on standard output so far; only with `stdout: "collect"`. */
  get stdout() {
    return Buffer.concat(this.#chunks ?? []);
  }

  /** Sends a signal to this one process, unless it has ended: its pid may be another's by then. */
  signal(name) {
    if (this.isAlive) this.#process.kill(name);
  }

  /** Kills it at once, and waits until it is gone. */
  async kill() {
    this.signal("SIGKILL");
    return await this.ended;
  }

  /** Asks it to stop; kills it when it takes longer than `timeoutMs`. */
  async stop(timeoutMs = 20_000) {
    this.signal("SIGTERM");
    return await this.endedWithin(timeoutMs);
  }

  /** Waits for its end; kills it, and says so as `isOverdue`, when that takes too long. */
  async endedWithin(timeoutMs) {
    let isOverdue = false;
    const timer = setTimeout(() => {
      isOverdue = true;
      this.signal("SIGKILL");
    }, timeoutMs);
    const outcome = await this.ended;
    clearTimeout(timer);
    return { ...outcome, isOverdue };
  }
}
