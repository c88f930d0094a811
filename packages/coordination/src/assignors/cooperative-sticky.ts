/**
 * As even as can be, with as little moved as can be. What has to move stays with nobody for one
 * generation: its holder gives it up and joins again, and only then does another get it. So the
 * rest is read on without a pause.
 */
import {
  AssignmentBuilder,
  type Assignments,
  type Assignor,
  type AssignorMember,
  inOrder,
  type PartitionCounts,
  topicsRead,
} from "./assignor.js";

export const cooperativeSticky: Assignor = {
  name: "cooperative-sticky",
  isCooperative: true,
  assign,
};

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly readers: readonly Load[];
  /** Who holds it now. */
  readonly holder: Load | undefined;
  owner: Load | undefined;
}

/** A member, and how much it would have. */
interface Load {
  readonly member: AssignorMember;
  count: number;
}

function assign(members: readonly AssignorMember[], counts: PartitionCounts): Assignments {
  const loads = inOrder(members).map((member) => ({ member, count: 0 }));
  const places = placesOf(loads, counts);
  for (const place of places) give(place, place.holder);
  for (const place of places) if (place.owner === undefined) give(place, leastOf(place.readers));
  while (places.filter(improve).length > 0) {
    // Each move makes it more even, so this ends.
  }
  const builder = new AssignmentBuilder(members);
  for (const { topic, partition, holder, owner } of places) {
    const isMoving = holder !== undefined && holder !== owner;
    if (owner !== undefined && !isMoving) builder.give(owner.member.memberId, topic, partition);
  }
  return builder.finish();
}

function placesOf(loads: readonly Load[], counts: PartitionCounts): Place[] {
  const holders = holdersOf(loads);
  return topicsRead(
    loads.map(({ member }) => member),
    counts,
  ).flatMap((topic) => {
    const readers = loads.filter(({ member }) => member.topics.includes(topic));
    return Array.from({ length: counts.get(topic) as number }, (_, partition) => {
      const holder = holders.get(`${partition} ${topic}`);
      const isReader = holder !== undefined && readers.includes(holder);
      const kept = isReader ? holder : undefined;
      return { topic, partition, readers, holder: kept, owner: undefined };
    });
  });
}

/**
 * Who holds what, as far as it can be believed: a member that missed a generation may have lost
 * its partitions in it, and what two claim is held by neither.
 */
function holdersOf(loads: readonly Load[]): ReadonlyMap<string, Load> {
  const latest = Math.max(...loads.map(({ member }) => member.generation));
  const holders = new Map<string, Load>();
  const claimedTwice = new Set<string>();
  for (const load of loads) {
    if (load.member.generation < latest) continue;
    for (const { topic, partitions } of load.member.owned) {
      for (const partition of partitions) {
        const key = `${partition} ${topic}`;
        if (holders.has(key)) claimedTwice.add(key);
        holders.set(key, load);
      }
    }
  }
  for (const key of claimedTwice) holders.delete(key);
  return holders;
}

function give(place: Place, owner: Load | undefined): void {
  if (place.owner !== undefined) place.owner.count -= 1;
  place.owner = owner;
  if (owner !== undefined) owner.count += 1;
}

/** Moves the place to a reader that has at least two less; returns whether there was one. */
function improve(place: Place): boolean {
  const { owner } = place;
  const least = leastOf(place.readers);
  if (owner === undefined || least === undefined || least.count + 1 >= owner.count) return false;
  give(place, least);
  return true;
}

function leastOf(readers: readonly Load[]): Load | undefined {
  let least = readers[0];
  for (const load of readers) if (least !== undefined && load.count < least.count) least = load;
  return least;
}
