/**
 * Holds a history against the promises. Pure.
 *
 * - lost: acknowledged, and not in the log of every replica that was read.
 * - duplicated: the same record at two offsets.
 * - reordered: a record behind a later one of its producer in its partition.
 * - misplaced: in the log, but not where its acknowledgement or its sender said.
 * - altered: key or value are not those that were sent.
 * - unknown: nobody sent it.
 * - rewritten, vanished, skipped, repeated: readings that disagree, or that do not go from offset to
 *   offset (`reading.mjs`).
 *
 * A record that was not acknowledged may be there, once, or not at all.
 */
import { Findings } from "./findings.mjs";
import { recordName } from "./reading.mjs";

/** Sequence numbers are found here by producer: `{ partitions, offsets }`, -1 where not found. */
export function checkHistory(history) {
  const findings = new Findings();
  const found = history.sent.map(({ length }) => ({
    partitions: new Int32Array(length).fill(-1),
    offsets: new Float64Array(length).fill(-1),
  }));
  let readCount = 0;
  for (const partition of history.seen.keys()) {
    readCount += checkPartition({ history, findings, found }, partition);
  }
  let unacknowledgedStored = 0;
  for (const producer of history.sent.keys()) {
    unacknowledgedStored += checkProducer({ history, findings, found }, producer);
  }
  findings.addAll(history.findings);
  return {
    isOk: findings.isEmpty,
    sent: history.sentCount,
    acknowledged: history.acknowledgedCount,
    unacknowledged: history.sentCount - history.acknowledgedCount,
    unacknowledgedStored,
    read: readCount,
    lost: findings.count("lost"),
    duplicated: findings.count("duplicated"),
    reordered: findings.count("reordered"),
    findings: findings.list(),
  };
}

/** From the log to the senders. Returns how many records it holds. */
function checkPartition({ history, findings, found }, partition) {
  const seen = history.seen[partition];
  const last = history.sent.map(() => -1);
  let count = 0;
  for (let offset = 0; offset < seen.endOffset; offset += 1) {
    if (!seen.has(offset)) continue;
    count += 1;
    const producer = seen.producer(offset);
    const sequence = seen.sequence(offset);
    const name = recordName(producer, sequence);
    const at = `${partition}/${offset}`;
    const sent = history.sent[producer];
    if (sent === undefined || sequence >= sent.length) {
      findings.add("unknown", `${name} at ${at} was never sent`);
      continue;
    }
    if (sent.fingerprint(sequence) !== seen.fingerprint(offset)) {
      findings.add("altered", `${name} at ${at} does not have the bytes that were sent`);
    }
    if (sent.partition(sequence) !== partition) {
      findings.add("misplaced", `${name} at ${at} was sent to ${sent.partition(sequence)}`);
    }
    const places = found[producer];
    if (places.offsets[sequence] >= 0) {
      const first = `${places.partitions[sequence]}/${places.offsets[sequence]}`;
      findings.add("duplicated", `${name} is at ${first} and at ${at}`);
      continue;
    }
    places.partitions[sequence] = partition;
    places.offsets[sequence] = offset;
    if (sequence < last[producer]) {
      findings.add("reordered", `${name} at ${at} comes after record ${last[producer]}`);
    }
    last[producer] = Math.max(last[producer], sequence);
  }
  return count;
}

/** From a sender to the log. Returns how many of its records are there without a promise. */
function checkProducer({ history, findings, found }, producer) {
  const sent = history.sent[producer];
  const { partitions, offsets } = found[producer];
  let unacknowledgedStored = 0;
  for (let sequence = 0; sequence < sent.length; sequence += 1) {
    const offset = sent.offset(sequence);
    const isFound = offsets[sequence] >= 0;
    if (offset === undefined) {
      if (isFound) unacknowledgedStored += 1;
      continue;
    }
    const partition = sent.partition(sequence);
    const seen = history.seen[partition];
    if (seen.holds(offset, producer, sequence) && !seen.isBroken(offset)) continue;
    const name = recordName(producer, sequence);
    const place = `${partition}/${offset}`;
    const isElsewhere = isFound && !history.seen[partitions[sequence]].isBroken(offsets[sequence]);
    if (isElsewhere) {
      const other = `${partitions[sequence]}/${offsets[sequence]}`;
      findings.add("misplaced", `${name}, acknowledged at ${place}, is at ${other}`);
    } else {
      findings.add("lost", `${name}, acknowledged at ${place}, ${instead(seen, offset)}`);
    }
  }
  return unacknowledgedStored;
}

function instead(seen, offset) {
  if (seen.isBroken(offset)) return "is not there for every replica";
  if (!seen.has(offset)) return "is nowhere";
  const other = recordName(seen.producer(offset), seen.sequence(offset));
  return `is nowhere; there lies ${other}`;
}
