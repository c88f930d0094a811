/**
 * A process that another one started: seen by its pid, and by its start time where the system tells,
 * so that a pid that was given to someone else is never taken for it.
 */
import { readFileSync } from "node:fs";

export class ForeignProcess {
  pid;
  #startTime;

  constructor(pid) {
    this.pid = pid;
    this.#startTime = startTimeOf(pid);
  }

  get isAlive() {
    const startTime = startTimeOf(this.pid);
    if (startTime !== undefined || this.#startTime !== undefined) {
      return startTime !== undefined && startTime === this.#startTime;
    }
    try {
      process.kill(this.pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  signal(name) {
    if (this.isAlive) process.kill(this.pid, name);
  }
}

/** In clock ticks since boot; undefined when there is no such process, or no /proc. */
function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not looked yet.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
