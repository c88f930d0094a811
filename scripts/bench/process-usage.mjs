/** CPU time and memory of other processes, from /proc: Linux only. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU seconds that the processes have used since they started, in user and kernel together. */
export function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) ticks += cpuTicks(pid, 11);
  return ticks / TICKS_PER_SECOND;
}

/** The same of all children of this process that have ended. */
export function reapedCpuSeconds() {
  return cpuTicks("self", 13) / TICKS_PER_SECOND;
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

/** Two neighbouring fields of `stat`, counted from the state on. */
function cpuTicks(pid, at) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[at]) + Number(fields[at + 1]);
}
