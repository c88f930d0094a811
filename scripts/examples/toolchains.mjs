/**
 * What it takes to run each example. A toolchain that this machine lacks, or packages that cannot be
 * fetched, are a reason to skip; an example that does not build is a failure.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cached } from "../lab/cache.mjs";
import { have, must } from "../lab/toolchain.mjs";

const EXAMPLES = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../examples");

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
  const name = `examples-python-${hash.digest("hex").slice(0, 16)}`;
  const venv = await cached(name, async (partial) => {
    await have(workspace, ["python3", "-m", "venv", partial]);
    const install = ["pip", "install", "--quiet", "--retries", "1", "-r", requirements];
    await have(workspace, [path.join(partial, "bin/python"), "-m", ...install]);
  });
  const python = path.join(venv, "bin/python");
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
