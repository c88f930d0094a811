/** Checks that a command was refused as it must be: by its exit code, and in so many words. */
import { failureOf, mustRun, runCommand, startCommand } from "../lab/command.mjs";

const START_MS_MAX = 20_000;

/** `code` is the exit code; each of `words` (text, or a pattern) must be said on standard error. */
export function checkRefusal(report, name, result, { code, words }) {
  const problems = [];
  if (result.isOverdue || result.code !== code) {
    problems.push(`exit code ${code} was expected, but ${failureOf(result)}`);
  }
  for (const word of words) {
    const isSaid =
      typeof word === "string" ? result.stderr.includes(word) : word.test(result.stderr);
    if (isSaid) continue;
    problems.push(`it does not say "${word}", but: ${result.stderr.trim() || "nothing"}`);
  }
  if (/^\s+at .*:\d+:\d+\)?$/m.test(result.stderr)) problems.push("it shows a stack trace");
  return report.check(name, problems.join("; "), { took_ms: Math.round(result.tookMs) });
}

export async function checkRefusedCommand({ report, workspace }, name, args, expected) {
  const result = await runCommand(workspace, args, { input: expected.input });
  return checkRefusal(report, name, result, expected);
}

/** Starts a node that has to be refused: the process must end by itself. */
export async function checkRefusedStart({ report, workspace }, name, args, expected) {
  const startedAtMs = performance.now();
  const child = startCommand(workspace, args);
  const outcome = await child.endedWithin(START_MS_MAX);
  const result = {
    ...outcome,
    command: "strandline broker start",
    stderr: child.stderr,
    tookMs: performance.now() - startedAtMs,
  };
  return checkRefusal(report, name, result, expected);
}

/** The nodes run as the same processes, and the topic takes and gives records. */
export async function checkUnharmed({ report, workspace, cluster, topic }, after, pids) {
  const problems = [];
  for (const [id, pid] of pids) {
    const { child } = cluster.nodes.get(id);
    if (!child.isAlive || child.pid !== pid) problems.push(`node ${id} has ended`);
  }
  try {
    await mustRun(workspace, ["topic", "produce", topic, "-b", cluster.brokers], {
      input: `after ${after}\n`,
    });
    const described = await cluster.describe();
    const serving = new Set(
      described.nodes.filter((node) => !node.fenced).map((node) => node.nodeId),
    );
    for (const [id] of pids) if (!serving.has(id)) problems.push(`node ${id} does not serve`);
  } catch (error) {
    problems.push(error.message);
  }
  report.check(`the others are unharmed after ${after}`, problems.join("; "));
}

/** Pids of the nodes that run now, for `checkUnharmed`. */
export function pidsOf(cluster) {
  return cluster.living.map((node) => [node.id, node.child.pid]);
}
