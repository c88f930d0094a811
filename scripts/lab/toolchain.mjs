/** Running other people's programs to their end, and saying what is missing when they are not here. */
import path from "node:path";
import { Lacking } from "./lacking.mjs";

const STEP_MS = 300_000;

/** As `must`; but that it fails says that this machine cannot run what is to be tried. */
export async function have(workspace, command, options) {
  try {
    return await must(workspace, command, options);
  } catch (error) {
    throw new Lacking(error.message);
  }
}

/** Runs a command to its end; resolves with what it printed. Throws its last words if it failed. */
export async function must(workspace, command, options = {}) {
  const { code, isOverdue, stdout, stderr } = await outcomeOf(workspace, command, options);
  if (code === 0) return stdout;
  const said = stderr.trim() === "" ? stdout : stderr;
  const words = said.trim().split("\n").slice(-3).join(" | ");
  const line = [path.basename(command[0]), ...command.slice(1)].join(" ").slice(0, 120);
  throw new Error(`\`${line}\` ${isOverdue ? "took too long" : "failed"}: ${words}`);
}

/** Runs a command to its end, however it ends. `input` goes to its standard input. */
export async function outcomeOf(workspace, [command, ...args], options = {}) {
  const { input, timeoutMs = STEP_MS, ...rest } = options;
  const child = workspace.spawn(command, args, { ...rest, stdout: "collect" });
  child.stdin.end(input);
  const { code, signal, isOverdue } = await child.endedWithin(timeoutMs).catch((error) => {
    throw new Lacking(error.code === "ENOENT" ? `there is no ${command} here` : error.message);
  });
  return { code, signal, isOverdue, stdout: child.stdout.toString(), stderr: child.stderr };
}
