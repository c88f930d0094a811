/**
 * `npm run chaos -- --groups`: a group of three consumers through kills of members and of brokers.
 * Returns the exit code: 0 every promise held, 1 one was broken.
 */
import { checkGroup } from "./group-checker.mjs";
import { GroupsRun } from "./groups-run.mjs";

const FINDINGS_SHOWN_MAX = 20;

export async function groupsChaos(options) {
  const { seed, memberKills, brokerKills, say } = options;
  say(`seed ${seed}: ${memberKills} kills of members, ${brokerKills} of brokers`);
  const run = new GroupsRun(options);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      run.closeNow();
      process.exit(130);
    });
  }
  const startedAtMs = performance.now();
  try {
    await run.run();
  } catch (error) {
    run.problems.push(error.stack ?? String(error));
  }
  const checked = checkGroup(run);
  const isOk = checked.isOk && run.problems.length === 0;
  await run.close({ isKept: !isOk });
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
  const lines = [
    `verdict          ${isOk ? "every promise held" : "VIOLATED"}`,
    `kills            ${run.performed.member} of members, ${run.performed.broker} of brokers, in ${seconds} s`,
    `written          ${checked.acknowledged} records acknowledged`,
    `delivered        ${checked.delivered}, and ${checked.deliveredAgain} of them again`,
    `commits          ${checked.commits} acknowledged, ${checked.answers} times asked for`,
    `generations      ${checked.generations}`,
  ];
  for (const { kind, message } of checked.findings.slice(0, FINDINGS_SHOWN_MAX)) {
    lines.push(`FOUND ${kind}: ${message}`);
  }
  const rest = checked.findings.length - FINDINGS_SHOWN_MAX;
  if (rest > 0) lines.push(`and ${rest} findings more`);
  for (const problem of run.problems) lines.push(`PROBLEM ${problem}`);
  if (!isOk)
    lines.push(`kept: ${run.directory}`, `again: npm run chaos -- --groups --seed ${seed}`);
  console.log(lines.join("\n"));
  return isOk ? 0 : 1;
}
