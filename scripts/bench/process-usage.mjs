/** CPU time, memory and files of other processes, from /proc: Linux only. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Fields of `stat`, counted from the state on. */
const USER = 11;
const KERNEL = 12;
const CHILDREN_USER = 13;
const CHILDREN_KERNEL = 14;

/** CPU seconds that the processes have used since they started, in user and kernel together. */
export function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) ticks += cpuTicks(pid, USER) + cpuTicks(pid, KERNEL);
  return ticks / TICKS_PER_SECOND;
}

/** The part of it that the kernel took. */
export function kernelCpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) ticks += cpuTicks(pid, KERNEL);
  return ticks / TICKS_PER_SECOND;
}

/** The part of it that JavaScript's own thread took; the rest is file work and the collector's. */
export function mainThreadCpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const thread = `${pid}/task/${pid}`;
    ticks += cpuTicks(thread, USER) + cpuTicks(thread, KERNEL);
  }
  return ticks / TICKS_PER_SECOND;
}

/** The same of all children of this process that have ended. */
export function reapedCpuSeconds() {
  return (cpuTicks("self", CHILDREN_USER) + cpuTicks("self", CHILDREN_KERNEL)) / TICKS_PER_SECOND;
}

/** CPU seconds that the whole machine has worked since it started, on all its CPUs. */
export function machineCpuSeconds() {
  const [, line] = /^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "utf8"));
  const [user, nice, system, , , irq, softirq, steal] = line.split(" ").map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** Resident memory, in MB of 10^6 bytes. */
export function residentMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}

/** Bytes that the processes have read by system calls, from files and sockets. */
export function readBytes(pids) {
  let total = 0;
  for (const pid of pids) {
    total += Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
  }
  return total;
}

/** Size of every file below. One that vanishes meanwhile counts nothing. */
export function directoryBytes(directory) {
  let total = 0;
  for (const name of readdirSync(directory, { recursive: true })) {
    const stat = statSync(path.join(directory, name), { throwIfNoEntry: false });
    if (stat?.isFile() === true) total += stat.size;
  }
  return total;
}

/** One field of `stat`, counted from the state on. */
function cpuTicks(task, field) {
  const stat = readFileSync(`/proc/${task}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[field]);
}
