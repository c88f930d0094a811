/**
 * Commits of one member, one after the other: two under way at once could arrive in the other
 * order, and take the group back.
 */
import { BrokerError } from "@strandline/model";
import {
  errorToProto,
  type GroupCommit,
  type GroupCommitted,
  type GroupOffset,
  type GroupOffsetRefusal,
} from "@strandline/rpc";
import { SerialQueue } from "../serial-queue.js";
import { byTopic, offsetToCommit, refusalsOf, refuse } from "../services/group-admin.js";
import type { Membership } from "./membership.js";

/** Attempts at a commit that meets the moment between two generations. */
const ATTEMPTS_MAX = 3;

/** The member, as the queue needs it. */
export interface Committer {
  /** True while the member reads the partition, or has not released it yet. */
  holds(offset: GroupOffset): boolean;
  /** Resolves when the member is in a generation with its assignment. */
  settled(): Promise<void>;
  answer(committed: GroupCommitted): void;
}

export class CommitQueue {
  readonly #membership: Membership;
  readonly #member: Committer;
  readonly #queue: SerialQueue;

  constructor(membership: Membership, member: Committer, onError: (error: unknown) => void) {
    this.#membership = membership;
    this.#member = member;
    this.#queue = new SerialQueue(onError);
  }

  add(commit: GroupCommit): void {
    void this.#queue.run(async () => {
      const { correlationId } = commit;
      try {
        const refusals = await this.#commit(commit.offsets);
        this.#member.answer({ correlationId, refusals });
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        this.#member.answer({ correlationId, refusals: [], error: errorToProto(error) });
      }
    });
  }

  /** Runs `task` after the commits that came before. */
  async afterwards(task: () => void = () => {}): Promise<void> {
    await this.#queue.run(async () => task());
  }

  async #commit(offsets: readonly GroupOffset[]): Promise<readonly GroupOffsetRefusal[]> {
    const member = this.#member;
    for (let attempt = 1; ; attempt++) {
      const held = offsets.filter((offset) => member.holds(offset));
      const refusals = offsets.filter((offset) => !held.includes(offset)).map(notHeld);
      if (held.length === 0) return refusals;
      const topics = byTopic(held, offsetToCommit);
      const { error, topics: outcomes } = await this.#membership.commit(topics);
      const isEarly = error === "REBALANCE_IN_PROGRESS" || error === "ILLEGAL_GENERATION";
      if (!isEarly || attempt === ATTEMPTS_MAX) {
        refuse(error, this.#membership.groupId);
        return [...refusals, ...refusalsOf(outcomes)];
      }
      // Between two generations nobody may commit; in the next one the member may hold it still.
      await member.settled();
    }
  }
}

function notHeld({ topic, partition }: GroupOffset): GroupOffsetRefusal {
  const error = new BrokerError(
    "ILLEGAL_GENERATION",
    `${topic}-${partition} is not assigned to this member any more`,
  );
  return { topic, partition, error: errorToProto(error) };
}
