/**
 * What a stretch of time cost the brokers and this process, and how much of the machine others had
 * in it: with many, a rate says little.
 */
import { monotonicMs } from "./monotonic.mjs";
import {
  cpuSeconds,
  kernelCpuSeconds,
  machineCpuSeconds,
  mainThreadCpuSeconds,
  readBytes,
  reapedCpuSeconds,
} from "./process-usage.mjs";

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
      ...sharesOf(before, after),
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
    broker_main_threads_cpu_s: window.brokerMainCpuSeconds,
    broker_kernel_cpu_s: window.brokerKernelCpuSeconds,
    client_cpu_s: window.clientCpuSeconds,
  };
}

/** Parts of the brokers' time; only known while the same brokers live. */
function sharesOf(before, after) {
  if (String(before.pids) !== String(after.pids)) return {};
  return {
    brokerMainCpuSeconds: after.brokerMain - before.brokerMain,
    brokerKernelCpuSeconds: after.brokerKernel - before.brokerKernel,
  };
}

function snapshot(pids) {
  const { user, system } = process.cpuUsage();
  return {
    atMs: monotonicMs(),
    // A broker that was killed in between has left its share with its parent: this process.
    brokerCpu: cpuSeconds(pids) + reapedCpuSeconds(),
    pids,
    brokerMain: mainThreadCpuSeconds(pids),
    brokerKernel: kernelCpuSeconds(pids),
    machineCpu: machineCpuSeconds(),
    clientCpu: (user + system) / 1e6,
    read: readBytes(pids),
  };
}
