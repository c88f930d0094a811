/**
 * librdkafka's own load generator: found, or built once into the cache directory out of the packages
 * that carry its source. Building needs gcc, g++, make and npm.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheDirectory } from "../../lab/cache-directory.mjs";

/** The library, and the package that has the generator's source too. */
const LIBRARY = "@confluentinc/kafka-javascript@1.10.1";
const EXAMPLES = "node-rdkafka@3.6.1";
/** Nothing but plain TCP: the load is neither encrypted nor compressed. */
const WITHOUT = ["curl", "gssapi", "ssl", "sasl", "zstd", "zlib", "lz4-ext", "debug-symbols"];
const RUN_MS_MAX = 240_000;

/** The path of the program. `given` is one that the caller has already. */
export function rdkafkaPerformance(given, say = () => undefined) {
  if (given !== undefined) {
    if (!existsSync(given)) throw new Error(`there is no ${given}`);
    return given;
  }
  const program = path.join(cacheDirectory(), "rdkafka", "rdkafka_performance");
  if (!existsSync(program)) build(path.dirname(program), say);
  return program;
}

function build(directory, say) {
  say(`building rdkafka_performance in ${directory}: some minutes, once`);
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const [library, examples] = [LIBRARY, EXAMPLES].map((name, at) => {
    const folder = path.join(partial, String(at));
    mkdirSync(folder, { recursive: true });
    run("npm", ["pack", "--silent", name], folder);
    run("sh", ["-c", "tar xzf ./*.tgz"], folder);
    return path.join(folder, "package/deps/librdkafka");
  });
  run(
    "./configure",
    WITHOUT.map((each) => `--disable-${each}`),
    library,
  );
  run("make", ["-j2", "-C", "src", "librdkafka.a"], library);
  const source = path.join(examples, "examples/rdkafka_performance.c");
  const include = [`-I${path.join(examples, "src")}`, "-Isrc", "-I."];
  const libraries = ["src/librdkafka.a", "-lm", "-lpthread", "-ldl", "-lrt"];
  const program = path.join(partial, "rdkafka_performance");
  run("gcc", ["-O2", ...include, source, "-o", program, ...libraries], library);
  mkdirSync(directory, { recursive: true });
  renameSync(program, path.join(directory, "rdkafka_performance"));
  rmSync(partial, { recursive: true, force: true });
}

function run(command, args, cwd) {
  try {
    execFileSync(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 28 });
  } catch (error) {
    const said = `${error.stdout ?? ""}${error.stderr ?? error.message}`.slice(-2_000);
    throw new Error(`\`${command} ${args.join(" ")}\` failed: ${said}`);
  }
}

const PRODUCER = {
  "linger.ms": 5,
  "batch.size": 1_000_000,
  "batch.num.messages": 100_000,
  "queue.buffering.max.messages": 200_000,
  "queue.buffering.max.kbytes": 200_000,
};

export class RdkafkaLoad {
  #workspace;
  #program;

  constructor(workspace, program) {
    this.#workspace = workspace;
    this.#program = program;
  }

  /** Sends so many records; resolves with seconds. Rejects unless all were delivered. */
  async produce(side, topic, { count, recordBytes }) {
    const properties = Object.entries(PRODUCER).flatMap(([key, value]) => [
      "-X",
      `${key}=${value}`,
    ]);
    const said = await this.#run([
      ...["-P", "-t", topic, "-b", side.bootstrap, "-s", String(recordBytes)],
      ...["-c", String(count), "-a", "-1", ...properties],
    ]);
    const lines = [...said.matchAll(/(\d+) delivered \(offset \d+, (\d+) failed\) in (\d+)ms/g)];
    const [, delivered, failed, ms] = lines.at(-1) ?? [];
    if (Number(delivered) !== count || Number(failed) !== 0) {
      throw new Error(`${topic}: ${delivered} of ${count} delivered, ${failed} failed`);
    }
    return Number(ms) / 1_000;
  }

  /** Reads so many records from the start of all partitions; resolves with seconds. */
  async consume(side, topic, { count, partitions }) {
    const places = Array.from({ length: partitions }, (_, at) => ["-p", String(at)]).flat();
    const said = await this.#run([
      ...["-C", "-t", topic, ...places, "-b", side.bootstrap],
      ...["-o", "beginning", "-c", String(count)],
    ]);
    const lines = [...said.matchAll(/(\d+) messages \(\d+ bytes\) consumed in (\d+)ms/g)];
    const [, consumed, ms] = lines.at(-1) ?? [];
    if (!(Number(consumed) >= count)) throw new Error(`${topic}: ${consumed} of ${count} consumed`);
    return Number(ms) / 1_000;
  }

  async #run(args) {
    const child = this.#workspace.spawn(this.#program, args, { stdout: "collect" });
    child.stdin.end();
    const { code, isOverdue } = await child.endedWithin(RUN_MS_MAX);
    const said = `${child.stdout}${child.stderr}`;
    if (isOverdue) throw new Error(`rdkafka_performance did not end: ${said.slice(-500)}`);
    if (code !== 0) throw new Error(`rdkafka_performance failed (${code}): ${said.slice(-500)}`);
    return said;
  }
}
