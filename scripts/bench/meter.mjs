/**
 * What a stretch of time cost the brokers and this process, and how much of the machine others had
 * in it: with many, a rate says little.
 */
import { monotonicMs } from "./monotonic.mjs";
import { cpuSeconds, machineCpuSeconds, readBytes, reapedCpuSeconds } from "./process-usage.mjs";

export class Meter {
  #pids;
  #before;

  /** Starts to count. `pids` gives the brokers that live: they may change between two looks. */
  constructor(pids) {
    this.#pids = pids;
    this.#before = snapshot(pids());
  }

  read() {
    const before = this.#before;
    const after = snapshot(this.#pids());
    const seconds = (after.atMs - before.atMs) / 1_000;
    const brokerCpuSeconds = after.brokerCpu - before.brokerCpu;
    const clientCpuSeconds = after.clientCpu - before.clientCpu;
    const machine = after.machineCpu - before.machineCpu;
    return {
      fromMs: before.atMs,
      toMs: after.atMs,
      seconds,
      brokerCpuSeconds,
      clientCpuSeconds,
      /** What the brokers read, from files and sockets together. */
      brokerReadBytes: after.read - before.read,
      otherCpus: Math.max(0, (machine - brokerCpuSeconds - clientCpuSeconds) / seconds),
    };
  }
}

/** What every figure says about its window. */
export function costOf(window) {
  return {
    other_cpus: window.otherCpus,
    window_s: window.seconds,
    broker_cpu_s: window.brokerCpuSeconds,
    client_cpu_s: window.clientCpuSeconds,
  };
}

function snapshot(pids) {
  const { user, system } = process.cpuUsage();
  return {
    atMs: monotonicMs(),
    // A broker that was killed in between has left its share with its parent: this process.
    brokerCpu: cpuSeconds(pids) + reapedCpuSeconds(),
    machineCpu: machineCpuSeconds(),
    clientCpu: (user + system) / 1e6,
    read: readBytes(pids),
  };
}
