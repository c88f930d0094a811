/** Files to send through the cluster: a directory's *.log files, or files made here. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Reads every *.log file of `directory`. Throws when there is none. */
export function filesOf(directory) {
  const names = readdirSync(directory).filter((name) => name.endsWith(".log"));
  if (names.length === 0) throw new Error(`${directory} holds no *.log file`);
  return names.sort().map((name) => fileAt(path.join(directory, name)));
}

/** Writes the generated files into `directory`: the same bytes on every machine. */
export function generatedFiles(directory) {
  mkdirSync(directory, { recursive: true });
  const random = generator(20_240_229);
  const contents = {
    "text.log": textFile(random),
    "crlf.log": crlfFile(random),
    "bytes.log": bytesFile(random),
    "long.log": longFile(random),
  };
  return Object.entries(contents).map(([name, bytes]) => {
    const file = path.join(directory, name);
    writeFileSync(file, bytes);
    return fileAt(file);
  });
}

function fileAt(file) {
  const bytes = readFileSync(file);
  const name = path.basename(file, ".log");
  return {
    name,
    path: file,
    bytes,
    topicPart: name.replaceAll(/[^A-Za-z0-9]/g, "-").toLowerCase(),
  };
}

/** Plain lines, some of them alike, as services write them. */
function textFile(random) {
  const levels = ["INFO", "WARN", "ERROR", "DEBUG"];
  const parts = ["storage", "network", "scheduler", "größe-prüfer", "認証"];
  const lines = [];
  for (let at = 0; at < 4_000; at += 1) {
    const level = levels[random(levels.length)];
    const part = parts[random(parts.length)];
    lines.push(`${level} ${part}: request ${random(500)} took ${random(90)} ms`);
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

/** Line ends of another system, empty lines, and no end of line at the end. */
function crlfFile(random) {
  const lines = [];
  for (let at = 0; at < 2_000; at += 1) lines.push(random(5) === 0 ? "" : `event ${random(1e9)}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\n\nno end of line after this`);
}

/** Every byte but the line end: nothing on the way may take records for text. */
function bytesFile(random) {
  const bytes = Buffer.alloc(200_000);
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = random(256);
    bytes[at] = byte === 10 && random(2) === 0 ? 11 : byte;
  }
  return bytes;
}

/** Lines from nothing to far beyond a batch. */
function longFile(random) {
  const lines = [];
  for (const length of [1, 10, 70_000, 0, 300_000, 5, 1_000, 400_000, 20_000, 1]) {
    lines.push(String.fromCharCode(97 + random(26)).repeat(length));
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

/** Uniform whole numbers below a bound: mulberry32. */
function generator(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
