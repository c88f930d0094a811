/**
 * librdkafka's own test programs, built from its sources as they come in the npm package of its
 * JavaScript binding. Built once, and kept.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { cached } from "../lab/cache.mjs";
import { have, must } from "../lab/toolchain.mjs";

const PACKAGE = "@confluentinc/kafka-javascript@1.10.1";
const SOURCE = "package/deps/librdkafka";
const MAKE_MS = 20 * 60_000;

/** Resolves with the directory of the test program, and the library's version. */
export async function librdkafkaTests(workspace, say) {
  const name = `librdkafka-of-${PACKAGE.replaceAll(/[@/]/g, "-").slice(1)}`;
  const directory = await cached(name, async (partial) => {
    for (const tool of ["g++", "make"]) await have(workspace, [tool, "--version"]);
    say("building librdkafka and its tests: some five minutes, once");
    const options = { cwd: partial };
    const packed = await have(workspace, ["npm", "pack", "--silent", PACKAGE], options);
    await must(workspace, ["tar", "xzf", packed.trim()], options);
    await build(workspace, path.join(partial, SOURCE));
  });
  const source = path.join(directory, SOURCE);
  return { tests: path.join(source, "tests"), version: versionOf(source) };
}

async function build(workspace, source) {
  const options = { cwd: source, timeoutMs: MAKE_MS };
  const configure = ["--disable-curl", "--disable-gssapi", "--disable-debug-symbols"];
  await must(workspace, ["./configure", ...configure], options);
  await must(workspace, ["make", "-j2", "libs"], options);
  await must(workspace, ["make", "-C", "tests", "build"], options);
}

/** 0x020f01ff is 2.15.1. */
function versionOf(source) {
  const header = readFileSync(path.join(source, "src/rdkafka.h"), "utf8");
  const hex = /#define RD_KAFKA_VERSION\s+0x([0-9a-f]{8})/.exec(header)[1];
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}
