/**
 * librdkafka's own test programs, built from its sources as they come in the npm package of its
 * JavaScript binding. Built once, into the cache under node_modules; nothing of it enters the project.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CACHE, have, must } from "./toolchain.mjs";

const PACKAGE = "@confluentinc/kafka-javascript@1.10.1";
const MAKE_MS = 20 * 60_000;

/** Resolves with the directory of the test program, and the library's version. */
export async function librdkafkaTests(workspace, say) {
  const directory = path.join(CACHE, `librdkafka-of-${PACKAGE.replaceAll(/[@/]/g, "-").slice(1)}`);
  const source = path.join(directory, "package/deps/librdkafka");
  const tests = path.join(source, "tests");
  const mark = path.join(directory, "complete");
  if (!existsSync(mark)) {
    for (const tool of ["g++", "make"]) await have(workspace, [tool, "--version"]);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    say("building librdkafka and its tests: some five minutes, once");
    const options = { cwd: directory };
    const packed = await have(workspace, ["npm", "pack", "--silent", PACKAGE], options);
    await must(workspace, ["tar", "xzf", packed.trim()], options);
    await build(workspace, source);
    writeFileSync(mark, "");
  }
  return { tests, version: versionOf(source) };
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
