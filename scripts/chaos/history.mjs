/**
 * What was sent, what was acknowledged, and what was read. Pure: told by the workload, judged by the
 * checker. A record is known by its producer and its sequence number; a fingerprint stands for its
 * key and its value.
 */
import { Findings } from "./findings.mjs";
import { Reading } from "./reading.mjs";
import { SeenRecords } from "./seen-records.mjs";
import { SentRecords } from "./sent-records.mjs";

/** Given to a record that does not say who sent it. */
export const UNREADABLE = { producer: 0xfffe, sequence: 0 };

export class History {
  /** By producer. */
  sent;
  /** By partition. */
  seen;
  /** What readings disagree about. */
  findings = new Findings();

  constructor({ producers, partitions }) {
    this.sent = Array.from({ length: producers }, () => new SentRecords());
    this.seen = Array.from({ length: partitions }, () => new SeenRecords());
  }

  /** A consumer that follows the log; it must see every offset in turn. */
  follow(name) {
    return new Reading(this, name, { isWhole: false });
  }

  /** A reading of everything; what it does not find is not there. */
  readWhole(name) {
    return new Reading(this, name, { isWhole: true });
  }

  get acknowledgedCount() {
    return this.sent.reduce((sum, each) => sum + each.acknowledgedCount, 0);
  }

  get sentCount() {
    return this.sent.reduce((sum, each) => sum + each.length, 0);
  }
}
