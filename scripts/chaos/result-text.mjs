/** The report for people: the verdict first, then the figures. Pure. */
import { columns } from "../lab/columns.mjs";

const VERDICTS = {
  held: "Every promise held.",
  violated: "PROMISES WERE BROKEN.",
  interrupted: "Interrupted: nothing was read back, so nothing is proven.",
};

export function textOf(result) {
  const { records, faults } = result;
  const lines = [
    `Chaos on ${result.target}, seed ${result.seed}: ${VERDICTS[result.verdict]}`,
    "",
    ...columns(
      ["what", "value"],
      [
        ["acknowledged", `${records.acknowledged} of ${records.sent} records sent`],
        ["not acknowledged", `${records.unacknowledged}, stored ${records.unacknowledgedStored}`],
        ["lost", records.lost ?? "not known: nothing was read back whole"],
        ["duplicated", records.duplicated],
        ["reordered", records.reordered],
        ["other findings", otherFindings(records)],
        ["read back from brokers", result.readFromBrokers.join(", ") || "none"],
        ["faults", faults.count],
        ["written for", `${result.writtenSeconds} s, ${meanText(result)}`],
        ...unavailabilityRows(result.unavailability),
        ["kill of a leader to next write", waitText(result.killToAcknowledged)],
        ["majority back to next write", waitText(result.majorityToAcknowledged)],
        ["machine", machineText(result.machine)],
      ],
    ),
    "",
    ...columns(["fault", "count"], Object.entries(faults.byKind)),
  ];
  const failed = Object.entries(result.failedSends);
  if (failed.length > 0) {
    const rows = failed.map(([code, { count, example }]) => [code, count, example]);
    lines.push("", ...columns(["failed sends", "count", "for example"], rows));
  }
  for (const { kind, count, examples } of records.findings) {
    lines.push("", `${count} ${kind}:`, ...examples.map((sentence) => `  ${sentence}`));
  }
  for (const problem of result.problems) lines.push("", `PROBLEM ${problem}`);
  return lines;
}

function otherFindings({ findings }) {
  const other = findings.filter(({ kind }) => !["lost", "duplicated", "reordered"].includes(kind));
  return other.map(({ kind, count }) => `${count} ${kind}`).join(", ") || 0;
}

function unavailabilityRows(unavailability) {
  if (unavailability === undefined) return [];
  const { cluster, partitions } = unavailability;
  const text = ({ longestSeconds, atSeconds, withMajoritySeconds }) =>
    `${longestSeconds} s, from second ${Math.round(atSeconds)} on; ` +
    `${withMajoritySeconds} s with a majority running`;
  return [
    ["longest without any write", text(cluster)],
    ...partitions.map((each) => [`  partition ${each.partition}`, text(each)]),
  ];
}

function waitText({ count, p50Seconds, p99Seconds, maxSeconds }) {
  if (count === 0) return "not measured";
  return `p50 ${p50Seconds} s, p99 ${p99Seconds} s, max ${maxSeconds} s (${count} partitions)`;
}

function meanText({ records, writtenSeconds }) {
  if (writtenSeconds === 0) return "no rate";
  return `${Math.round(records.acknowledged / writtenSeconds)} acknowledged records/s`;
}

function machineText({ cpus, model, platform, node }) {
  return `${cpus} CPUs (${model}), ${platform}, Node ${node.replace("v", "")}`;
}
