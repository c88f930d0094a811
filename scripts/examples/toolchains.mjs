/**
 * What it takes to run each example. A toolchain that this machine lacks, or packages that cannot be
 * fetched, are a reason to skip; an example that does not build is a failure.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const EXAMPLES = path.join(ROOT, "examples");
/** Packages are installed once, not at every run. */
const CACHE = path.join(ROOT, "node_modules/.cache/strandline-examples");
const STEP_MS = 300_000;

/** Thrown for what this machine lacks. */
export class Lacking extends Error {}

/** By example: makes it ready, and resolves with the commands of its two programs. */
export const EXAMPLES_BY_NAME = {
  "typescript-client": async () => nodePrograms("typescript-client"),
  "typescript-proto-loader": async () => nodePrograms("typescript-proto-loader"),
  python: pythonPrograms,
  go: goPrograms,
};

/** Built by the compiler before this runs. */
function nodePrograms(name) {
  const program = (file) => [process.execPath, path.join(EXAMPLES, name, "dist", file)];
  return { produce: program("produce.js"), consume: program("consume.js") };
}

async function pythonPrograms(workspace) {
  const directory = path.join(EXAMPLES, "python");
  const requirements = path.join(directory, "requirements.txt");
  const version = await have(workspace, ["python3", "--version"]);
  const hash = createHash("sha256").update(version).update(readFileSync(requirements));
  const venv = path.join(CACHE, `python-${hash.digest("hex").slice(0, 16)}`);
  const python = path.join(venv, "bin/python");
  const mark = path.join(venv, "complete");
  if (!existsSync(mark)) {
    rmSync(venv, { recursive: true, force: true });
    mkdirSync(CACHE, { recursive: true });
    await have(workspace, ["python3", "-m", "venv", venv]);
    const install = ["pip", "install", "--quiet", "--retries", "1", "-r", requirements];
    await have(workspace, [python, "-m", ...install]);
    writeFileSync(mark, "");
  }
  // Otherwise a line is seen by the runner only once there are many.
  const program = (file) => [python, "-u", "-B", path.join(directory, file)];
  return { produce: program("produce.py"), consume: program("consume.py") };
}

async function goPrograms(workspace) {
  const options = { cwd: path.join(EXAMPLES, "go") };
  await have(workspace, ["go", "version"], options);
  await have(workspace, ["go", "mod", "download"], options);
  await must(workspace, ["go", "generate", "./generate"], options);
  const directory = workspace.newDirectory("go");
  await must(workspace, ["go", "vet", "./..."], options);
  await must(workspace, ["go", "build", "-o", directory, "./produce", "./consume"], options);
  return { produce: [path.join(directory, "produce")], consume: [path.join(directory, "consume")] };
}

async function have(workspace, command, options) {
  try {
    return await must(workspace, command, options);
  } catch (error) {
    throw new Lacking(error.message);
  }
}

/** Runs a command to its end; resolves with what it printed. Throws its last words if it failed. */
async function must(workspace, [command, ...args], options = {}) {
  const child = workspace.spawn(command, args, { ...options, stdout: "collect" });
  child.stdin.end();
  const { code, isOverdue } = await child.endedWithin(STEP_MS).catch((error) => {
    throw new Error(error.code === "ENOENT" ? `there is no ${command} here` : error.message);
  });
  if (code === 0) return child.stdout.toString();
  const words = child.stderr.trim().split("\n").at(-1) ?? "";
  const line = [path.basename(command), ...args].join(" ");
  throw new Error(`\`${line}\` ${isOverdue ? "took too long" : "failed"}: ${words}`);
}
