/** What a run has shown, as plain data: the JSON report. */
import { availableParallelism, cpus } from "node:os";
import { percentile } from "../lab/percentile.mjs";
import { FAULT_KINDS } from "./fault-schedule.mjs";
import { checkHistory } from "./history-checker.mjs";

/** `run` has come to its end, or was interrupted. */
export function resultOf(run, { target, seed, minutes, recordsPerSecond }) {
  const checked = recordsOf(run);
  const availability = run.availability;
  const startedAtMs = availability?.startedAtMs ?? 0;
  const at = (ms) => (ms === undefined ? undefined : round((ms - startedAtMs) / 1_000));
  const faults = (run.faults?.performed ?? []).map((fault) => ({
    number: fault.number,
    kind: fault.kind,
    atSeconds: at(fault.atMs),
    brokers: fault.victims,
    controller: fault.controller,
  }));
  return {
    verdict: verdictOf(run, checked),
    target,
    seed,
    minutes,
    recordsPerSecond,
    machine: {
      cpus: availableParallelism(),
      model: cpus()[0]?.model ?? "unknown",
      platform: `${process.platform} ${process.arch}`,
      node: process.version,
    },
    writtenSeconds: at(run.endedAtMs) ?? 0,
    readFromBrokers: run.readFrom,
    records: checked,
    problems: run.problems,
    failedSends: Object.fromEntries(run.workload?.failures ?? []),
    faults: {
      count: faults.length,
      byKind: Object.fromEntries(
        FAULT_KINDS.map((kind) => [kind, faults.filter((fault) => fault.kind === kind).length]),
      ),
      list: faults,
    },
    absences: absencesIn(run).map(({ id, state, fromMs, toMs }) => ({
      broker: id,
      state,
      fromSeconds: at(fromMs),
      toSeconds: at(toMs),
    })),
    unavailability: availability === undefined ? undefined : unavailabilityOf(availability),
    killToAcknowledged: waitsOf(availability, "kill"),
    majorityToAcknowledged: waitsOf(availability, "majority"),
    acknowledgedPerSecond: availability?.perSecond ?? [],
  };
}

/** Those of the writing; brokers go away for the reading back too. */
function absencesIn({ brokers, endedAtMs }) {
  return (brokers?.absences ?? [])
    .filter(({ fromMs }) => fromMs < endedAtMs)
    .map((absence) => ({ ...absence, toMs: Math.min(absence.toMs ?? endedAtMs, endedAtMs) }));
}

/** What nobody has looked for is not lost: `null` when nothing was read back whole. */
function recordsOf({ history, readFrom }) {
  const checked = checkHistory(history);
  if (readFrom.length > 0) return checked;
  const findings = checked.findings.filter(({ kind }) => kind !== "lost");
  return { ...checked, isOk: findings.length === 0, lost: null, findings };
}

/** An interrupted run has not read everything back: it can be wrong, and it cannot be right. */
function verdictOf(run, { isOk }) {
  if (!isOk || run.problems.length > 0) return "violated";
  return run.isInterrupted ? "interrupted" : "held";
}

function unavailabilityOf(availability) {
  const { cluster, partitions } = availability.longest();
  const inSeconds = ({ ms, atMs, withMajorityMs }) => ({
    longestSeconds: round(ms / 1_000),
    atSeconds: round(atMs / 1_000),
    withMajoritySeconds: round(withMajorityMs / 1_000),
  });
  return {
    cluster: inSeconds(cluster),
    partitions: partitions.map((each, partition) => ({ partition, ...inSeconds(each) })),
  };
}

function waitsOf(availability, what) {
  const waits = (availability?.waits ?? []).filter((wait) => wait.what === what);
  const seconds = waits.map((wait) => wait.waitedMs / 1_000);
  const share = (of) => (seconds.length === 0 ? undefined : round(percentile(seconds, of)));
  return {
    count: waits.length,
    p50Seconds: share(0.5),
    p99Seconds: share(0.99),
    maxSeconds: share(1),
    all: waits.map(({ fault, partition, waitedMs }) => ({
      fault,
      partition,
      seconds: round(waitedMs / 1_000),
    })),
  };
}

function round(value) {
  return Math.round(value * 1_000) / 1_000;
}
