/** The `strandline` command as a user runs it: a process with arguments, input, output, exit code. */
import path from "node:path";
import { fileURLToPath } from "node:url";

export const STRANDLINE = path.join(
  path.dirname(fileURLToPath(import.meta.url)),
  "../../packages/cli/bin/strandline.js",
);

/** Starts a command that runs until it is stopped. */
export function startCommand(workspace, args, { execArgv = [], ...options } = {}) {
  return workspace.spawn(process.execPath, [...execArgv, STRANDLINE, ...args], options);
}

/**
 * Runs a command to its end. `input` is written to its standard input. One that takes longer than
 * `timeoutMs` is killed: `isOverdue`.
 */
export async function runCommand(workspace, args, { input, timeoutMs = 60_000, ...options } = {}) {
  const startedAtMs = performance.now();
  const child = startCommand(workspace, args, { ...options, stdout: "collect" });
  child.stdin.end(input);
  const { code, signal, isOverdue } = await child.endedWithin(timeoutMs);
  return {
    command: `strandline ${args.join(" ")}`,
    code,
    signal,
    isOverdue,
    stdout: child.stdout,
    stderr: child.stderr,
    tookMs: performance.now() - startedAtMs,
  };
}

/** Runs a command that has to succeed. Throws with its words when it does not. */
export async function mustRun(workspace, args, options) {
  const result = await runCommand(workspace, args, options);
  if (result.code !== 0) throw new Error(failureOf(result));
  return result;
}

/** One sentence on how a command ended. */
export function failureOf(result) {
  const how = result.isOverdue
    ? `had not ended after ${Math.round(result.tookMs)} ms`
    : result.signal === null
      ? `ended with exit code ${result.code}`
      : `was ended by ${result.signal}`;
  const said = result.stderr.trim();
  return `\`${result.command}\` ${how}${said === "" ? "" : `, saying: ${lastPart(said)}`}`;
}

function lastPart(text) {
  const oneLine = text.replaceAll(/\s*\n\s*/g, " | ");
  return oneLine.length > 600 ? `… ${oneLine.slice(-600)}` : oneLine;
}
