/**
 * librdkafka's own load generator: found, or built once out of the packages that carry its source.
 * Building needs gcc, g++, make and npm.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { cached } from "../../lab/cache.mjs";
import { must } from "../../lab/toolchain.mjs";

/** The library, and the package that has the generator's source too. */
const LIBRARY = "@confluentinc/kafka-javascript@1.10.1";
const EXAMPLES = "node-rdkafka@3.6.1";
/** Nothing but plain TCP: the load is neither encrypted nor compressed. */
const WITHOUT = ["curl", "gssapi", "ssl", "sasl", "zstd", "zlib", "lz4-ext", "debug-symbols"];
const PROGRAM = "rdkafka_performance";
const BUILD_MS_MAX = 20 * 60_000;
const RUN_MS_MAX = 240_000;

/** Resolves with the path of the program. `given` is one that the caller has already. */
export async function rdkafkaPerformance(workspace, given, say = () => undefined) {
  if (given !== undefined) {
    if (!existsSync(given)) throw new Error(`there is no ${given}`);
    return given;
  }
  const directory = await cached("rdkafka", async (partial) => {
    say("building rdkafka_performance: some minutes, once");
    await build(workspace, path.join(partial, PROGRAM));
  });
  return path.join(directory, PROGRAM);
}

async function build(workspace, program) {
  const run = async (cwd, ...command) =>
    await must(workspace, command, { cwd, timeoutMs: BUILD_MS_MAX });
  const unpacked = async (name) => {
    const folder = workspace.newDirectory(`rdkafka/${name.replaceAll("/", "-")}`);
    const packed = await run(folder, "npm", "pack", "--silent", name);
    await run(folder, "tar", "xzf", packed.trim());
    return path.join(folder, "package/deps/librdkafka");
  };
  const library = await unpacked(LIBRARY);
  const examples = await unpacked(EXAMPLES);
  await run(library, "./configure", ...WITHOUT.map((each) => `--disable-${each}`));
  await run(library, "make", "-j2", "-C", "src", "librdkafka.a");
  const source = path.join(examples, "examples/rdkafka_performance.c");
  const include = [`-I${path.join(examples, "src")}`, "-Isrc", "-I."];
  const libraries = ["src/librdkafka.a", "-lm", "-lpthread", "-ldl", "-lrt"];
  await run(library, "gcc", "-O2", ...include, source, "-o", program, ...libraries);
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
