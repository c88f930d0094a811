/**
 * Judges what the members of a group, their producer and an observer were told. Pure. Broken is
 *
 * - "not delivered": a record that is in the log was given to no member;
 * - "other record": an offset that holds another record than the one acknowledged there;
 * - "skipped": a member was given a record behind one that it, in the same stay, was not given;
 * - "went back": a committed offset is lower than one that was acknowledged, or told, before the
 *   question was asked;
 * - "two owners": in one generation a partition belonged to two members.
 *
 * `history` is `{ ends, acknowledged, members, answers }`: the end of each partition's log; records
 * as `{ partition, offset, value }`; of each member process its events in order; what the observer
 * was told as `{ partition, offset, askedAt, at }`.
 */
export function checkGroup({ ends, acknowledged, members, answers }) {
  const findings = [];
  const delivered = new Delivered();
  const deliveries = { count: 0 };
  for (const events of members) {
    for (const event of events) {
      if (event.kind === "delivered") deliver(event, { delivered, deliveries, findings });
    }
    findings.push(...skippedIn(events));
  }
  for (const [partition, end] of ends.entries()) {
    const missing = [];
    for (let offset = 0; offset < end; offset += 1) {
      if (!delivered.of(partition).has(offset)) missing.push(offset);
    }
    if (missing.length > 0) {
      const message = `${missing.length} records of partition ${partition}, the first at ${missing[0]}`;
      findings.push({ kind: "not delivered", message });
    }
  }
  for (const { partition, offset, value } of acknowledged) {
    const given = delivered.of(partition).get(offset);
    if (given === undefined || given === value) continue;
    const message = `offset ${offset} of partition ${partition} is ${given}, acknowledged was ${value}`;
    findings.push({ kind: "other record", message });
  }
  findings.push(...wentBack(members, answers), ...twoOwners(members));
  const unique = delivered.count;
  return {
    isOk: findings.length === 0,
    findings,
    acknowledged: acknowledged.length,
    delivered: unique,
    deliveredAgain: deliveries.count - unique,
    commits: countOf(members, "committed"),
    generations: new Set(ofKind(members, "joined").map(({ generation }) => generation)).size,
    answers: answers.length,
  };
}

/** What members were given: values by offset, for each partition. */
class Delivered {
  #partitions = new Map();

  of(partition) {
    let values = this.#partitions.get(partition);
    if (values === undefined) {
      values = new Map();
      this.#partitions.set(partition, values);
    }
    return values;
  }

  get count() {
    return [...this.#partitions.values()].reduce((sum, values) => sum + values.size, 0);
  }
}

function deliver({ partition, records }, { delivered, deliveries, findings }) {
  for (const [offset, value] of records) {
    deliveries.count += 1;
    const before = delivered.of(partition).get(offset) ?? value;
    delivered.of(partition).set(offset, before);
    if (before === value) continue;
    const message = `offset ${offset} of partition ${partition} is ${before} and ${value}`;
    findings.push({ kind: "other record", message });
  }
}

/** From one join to the next a member's records of a partition follow each other. */
function skippedIn(events) {
  const findings = [];
  let next = new Map();
  for (const event of events) {
    if (event.kind === "joined") next = new Map();
    if (event.kind !== "delivered") continue;
    for (const [offset] of event.records) {
      const expected = next.get(event.partition) ?? offset;
      if (offset > expected) {
        const message = `${expected} to ${offset - 1} of partition ${event.partition}`;
        findings.push({ kind: "skipped", message });
      }
      next.set(event.partition, offset + 1);
    }
  }
  return findings;
}

/** Each answer against everything that was known when its question was asked. */
function wentBack(members, answers) {
  const findings = [];
  const facts = [
    ...ofKind(members, "committed"),
    ...answers.map(({ partition, offset, at }) => ({ partition, offset, at })),
  ].sort((a, b) => a.at - b.at);
  const questions = [...answers].sort((a, b) => a.askedAt - b.askedAt);
  const floors = new Map();
  let known = 0;
  for (const { partition, offset, askedAt } of questions) {
    for (; known < facts.length && facts[known].at < askedAt; known += 1) {
      const fact = facts[known];
      floors.set(fact.partition, Math.max(floors.get(fact.partition) ?? -1, fact.offset));
    }
    const floor = floors.get(partition) ?? -1;
    if (offset >= floor) continue;
    const message = `partition ${partition} was at ${floor}, and then at ${offset}`;
    findings.push({ kind: "went back", message });
  }
  return findings;
}

function twoOwners(members) {
  const findings = [];
  const owners = new Map();
  for (const { generation, member, partitions } of ofKind(members, "joined")) {
    for (const partition of partitions) {
      const key = `partition ${partition} in generation ${generation}`;
      const owner = owners.get(key) ?? member;
      owners.set(key, owner);
      if (owner === member) continue;
      findings.push({ kind: "two owners", message: `${key}: ${owner} and ${member}` });
    }
  }
  return findings;
}

function ofKind(members, kind) {
  return members.flatMap((events) => events.filter((event) => event.kind === kind));
}

function countOf(members, kind) {
  return ofKind(members, kind).length;
}
