/**
 * Brokers as the containers of docker-compose.yml. A cluster that is up already is used as it is,
 * and stays; one that is not is brought up, and taken down again. Its volumes stay either way.
 *
 * What is paused is the broker, not its container: `docker pause` that meets the start of a health
 * check can leave an engine waiting for itself, and the container frozen for good.
 */
import { execFile, spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const IDS = [1, 2, 3];
const PORTS = [50_051, 50_052, 50_053];
const LINES_MAX = 20;
const WATCH_MS = 2_000;
/** Building the image takes its time. */
const COMMAND_MS = 15 * 60_000;

/** The one child of the init process is the broker. */
const signalling = (signal) => ["sh", "-c", `kill -s ${signal} $(cat /proc/1/task/1/children)`];

const run = promisify(execFile);

export class ComposeTarget {
  name = "compose";
  ids = IDS;
  bootstrap = PORTS.map((port) => `127.0.0.1:${port}`);
  onOwnEnd = () => undefined;
  #compose = composeCommand();
  /** Container ids, and when each was last started by the engine. */
  #containers = new Map();
  #startedAt = new Map();
  #down = new Set(IDS);
  #wasUp = false;
  #watch;

  static async open() {
    const target = new ComposeTarget();
    target.#wasUp = (await target.#running()).length === IDS.length;
    if (!target.#wasUp) await target.#runCompose("up", "-d", "--build");
    for (const id of IDS) {
      target.#containers.set(id, (await target.#runCompose("ps", "-q", `broker-${id}`)).trim());
      await target.#noteStart(id);
    }
    target.#watch = setInterval(() => {
      target.#lookForOwnEnds().catch(() => undefined);
    }, WATCH_MS);
    return target;
  }

  /** SIGKILL to the container; resolves when it is gone. */
  async kill(id) {
    this.#down.add(id);
    const container = this.#containers.get(id);
    await docker("kill", "--signal", "KILL", container);
    await docker("wait", container);
  }

  async pause(id) {
    await docker("exec", this.#containers.get(id), ...signalling("STOP"));
  }

  async resume(id) {
    await docker("exec", this.#containers.get(id), ...signalling("CONT"));
  }

  async start(id) {
    await docker("start", this.#containers.get(id));
    await this.#noteStart(id);
  }

  lastLines(id) {
    const args = ["logs", "--tail", String(LINES_MAX), this.#containers.get(id)];
    const { stdout, stderr } = spawnSync("docker", args, { encoding: "utf8" });
    return `${stdout}${stderr}`.trimEnd().split("\n");
  }

  async close({ isKept }) {
    clearInterval(this.#watch);
    if (isKept) return "the containers and volumes of docker compose, as they are";
    if (!this.#wasUp) await this.#runCompose("down");
    return undefined;
  }

  /** For an end without ceremony: nobody stays paused. */
  closeNow() {
    clearInterval(this.#watch);
    for (const container of this.#containers.values()) {
      spawnSync("docker", ["exec", container, ...signalling("CONT")], { stdio: "ignore" });
    }
  }

  async #noteStart(id) {
    this.#startedAt.set(id, (await this.#state(id)).startedAt);
    this.#down.delete(id);
  }

  /** A container that stopped, or that the engine restarted, without being asked. */
  async #lookForOwnEnds() {
    for (const id of IDS) {
      if (this.#down.has(id)) continue;
      const known = this.#startedAt.get(id);
      const { isRunning, startedAt } = await this.#state(id);
      // A kill or a start may have come in between.
      if (this.#down.has(id) || this.#startedAt.get(id) !== known) continue;
      if (isRunning && startedAt === known) continue;
      if (isRunning) this.#startedAt.set(id, startedAt);
      else this.#down.add(id);
      this.onOwnEnd(id);
    }
  }

  async #state(id) {
    const format = "{{.State.Running}} {{.State.StartedAt}}";
    const answer = await docker("inspect", "--format", format, this.#containers.get(id));
    const [isRunning, startedAt] = answer.trim().split(" ");
    return { isRunning: isRunning === "true", startedAt };
  }

  async #running() {
    const containers = (await this.#runCompose("ps", "-q")).split("\n").filter(Boolean);
    if (containers.length === 0) return [];
    const states = await docker("inspect", "--format", "{{.State.Running}}", ...containers);
    return states.split("\n").filter((state) => state === "true");
  }

  async #runCompose(...args) {
    const [command, ...first] = this.#compose;
    const { stdout } = await run(command, [...first, ...args], {
      cwd: ROOT,
      timeout: COMMAND_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }
}

async function docker(...args) {
  const { stdout } = await run("docker", args, { timeout: COMMAND_MS });
  return stdout;
}

/** The plugin, or the older command of its own. */
function composeCommand() {
  for (const command of [["docker", "compose"], ["docker-compose"]]) {
    const [name, ...first] = command;
    if (spawnSync(name, [...first, "version"], { stdio: "ignore" }).status === 0) return command;
  }
  throw new Error("neither `docker compose` nor `docker-compose` is there");
}
