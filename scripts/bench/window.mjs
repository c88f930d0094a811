/** A stretch of steady load: what was done in it, and what that cost the brokers and this process. */
import { sleep } from "../lab/waiting.mjs";
import { cpuSeconds, machineCpuSeconds } from "./process-usage.mjs";

/** Runs before the measuring begins: code is compiled and buffers are filled by then. */
const WARM_UP_MS = 3_000;

/**
 * `count` returns a total that only grows. Returns its growth, the seconds, and the CPU seconds;
 * `otherCpus` is how many CPUs worked for something else: with many, a rate says little.
 */
export async function measure({ seconds, pids, count }) {
  await sleep(WARM_UP_MS);
  const before = snapshot(pids, count);
  await sleep(seconds * 1_000);
  const after = snapshot(pids, count);
  const windowSeconds = (after.atMs - before.atMs) / 1_000;
  const brokerCpuSeconds = after.brokerCpu - before.brokerCpu;
  const clientCpuSeconds = after.clientCpu - before.clientCpu;
  const otherCpuSeconds =
    after.machineCpu - before.machineCpu - brokerCpuSeconds - clientCpuSeconds;
  return {
    count: after.count - before.count,
    seconds: windowSeconds,
    brokerCpuSeconds,
    clientCpuSeconds,
    otherCpus: Math.max(0, otherCpuSeconds / windowSeconds),
  };
}

function snapshot(pids, count) {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    count: count(),
    brokerCpu: cpuSeconds(pids),
    machineCpu: machineCpuSeconds(),
    clientCpu: (user + system) / 1e6,
  };
}
