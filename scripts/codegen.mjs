/**
 * Writes the generated sources, or with --check fails when they are not what would be written.
 * Same input, same bytes: no date, no machine path, no order that depends on the file system.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { generateProtoModules } from "./codegen/proto.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Every directory whose .ts files are generated, all of them, and what makes them. */
const TARGETS = [
  {
    directory: "packages/rpc/src/generated",
    generate: () => generateProtoModules(path.join(root, "proto"), protoFiles()),
  },
];

function protoFiles() {
  const names = readdirSync(path.join(root, "proto"), { recursive: true });
  const files = names.map((name) => name.split(path.sep).join("/"));
  return files.filter((name) => name.endsWith(".proto")).sort();
}

/** Returns the files that differ from what is generated now, missing and surplus ones included. */
function staleFiles(directory, modules) {
  const present = existsSync(directory) ? readdirSync(directory) : [];
  const surplus = present.filter((name) => name.endsWith(".ts") && !modules.has(name));
  const differing = [...modules].filter(([name, text]) => {
    const file = path.join(directory, name);
    return !existsSync(file) || readFileSync(file, "utf8") !== text;
  });
  return [...surplus, ...differing.map(([name]) => name)];
}

function write(directory, modules, stale) {
  mkdirSync(directory, { recursive: true });
  for (const name of stale) {
    const text = modules.get(name);
    if (text === undefined) rmSync(path.join(directory, name));
    else writeFileSync(path.join(directory, name), text);
  }
}

const isCheck = process.argv.includes("--check");
for (const target of TARGETS) {
  const modules = target.generate();
  const directory = path.join(root, target.directory);
  const stale = staleFiles(directory, modules);
  if (!isCheck) write(directory, modules, stale);
  for (const name of stale) {
    const file = `${target.directory}/${name}`;
    console.log(isCheck ? `stale: ${file} (run npm run codegen)` : `wrote ${file}`);
  }
  if (isCheck && stale.length > 0) process.exitCode = 1;
}
