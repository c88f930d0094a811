/** The command lines of these scripts: read, explained with --help, or refused with a sentence. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const EXIT_USAGE = 2;

/**
 * The values of the command line; `options` are those of `parseArgs`. With --help prints what the
 * file at `url` says of itself at its beginning, and ends.
 */
export function readArguments(url, options) {
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, help: { type: "boolean" } } }));
  } catch (error) {
    refuse(`${error.message.split(". To specify")[0]}\n\n${usageOf(url)}`);
  }
  if (values.help) {
    process.stdout.write(`${usageOf(url)}\n`);
    process.exit(0);
  }
  return values;
}

/** Ends with a sentence unless every one of `names` is among `known`. `noun` is what they name. */
export function requireKnown(noun, names, known) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) refuse(`no ${noun} ${unknown.join(", ")}; there are ${known.join(", ")}`);
}

/** Ends the process: the command line is wrong. */
export function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(EXIT_USAGE);
}

function usageOf(url) {
  const source = readFileSync(fileURLToPath(url), "utf8");
  const [, comment = ""] = /\/\*\*\n([\s\S]*?)\n \*\//.exec(source) ?? [];
  return comment.replaceAll(/^ \* ?/gm, "");
}
