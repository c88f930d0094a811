/**
 * The in-sync replicas of a partition as its leader knows them: what the controller committed,
 * and what this leader asked for without knowing what became of it.
 *
 * The controller applies a proposal only if the partition epoch is still the one it names. So
 * once a newer partition epoch is known, every proposal made before it is history. Until then a
 * proposal whose answer was lost may take effect at any time, and its members must count.
 */
import type { ErrorCode, NodeId } from "@strandline/model";

export type IsrAnswer =
  | {
      readonly kind: "committed";
      readonly isr: readonly NodeId[];
      readonly partitionEpoch: number;
    }
  | { readonly kind: "refused"; readonly code: ErrorCode };

/**
 * Refusals that say: this proposal was not applied, and nothing else was since. All others leave
 * it open. A timeout or a lost controller says nothing; INVALID_UPDATE_VERSION says that the
 * partition has changed, maybe by an earlier copy of this very proposal.
 */
const CERTAIN_REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "INELIGIBLE_REPLICA",
  "INVALID_REQUEST",
]);

export class Isr {
  #partitionEpoch: number;
  #committed: readonly NodeId[];
  /** Asked for, and counted until it is known to be void. */
  #proposed: readonly NodeId[] | undefined;
  /** Members of earlier proposals under this partition epoch that may still take effect. */
  #doubtful: readonly NodeId[] = [];
  #maximal: readonly NodeId[];
  #awaitsAnswer = false;
  #isOutdated = false;
  /** An answer was given up. When it comes after all, it looks like that of a later proposal. */
  #mayAnswerLate = false;

  constructor(isr: readonly NodeId[], partitionEpoch: number) {
    this.#committed = isr;
    this.#maximal = isr;
    this.#partitionEpoch = partitionEpoch;
  }

  get partitionEpoch(): number {
    return this.#partitionEpoch;
  }

  /** What the controller committed, as far as this leader knows. */
  get committed(): readonly NodeId[] {
    return this.#committed;
  }

  /** Everyone who may be in sync in the controller's eyes: a superset of the truth. */
  get maximal(): readonly NodeId[] {
    return this.#maximal;
  }

  /** True while an earlier proposal may still take effect. A newer partition epoch ends it. */
  get isInDoubt(): boolean {
    return this.#maximal.length > this.#committed.length && !this.#awaitsAnswer;
  }

  get awaitsAnswer(): boolean {
    return this.#awaitsAnswer;
  }

  /** One proposal at a time, and none under a partition epoch known to be old. */
  get canPropose(): boolean {
    return !this.#awaitsAnswer && !this.#isOutdated;
  }

  propose(members: readonly NodeId[]): void {
    this.#proposed = members;
    this.#awaitsAnswer = true;
    this.#count();
  }

  /** The controller answered the one proposal. Returns whether the partition epoch moved. */
  answered(answer: IsrAnswer): boolean {
    this.#awaitsAnswer = false;
    if (answer.kind === "committed") {
      if (this.changed(answer.isr, answer.partitionEpoch)) return true;
      // Nothing new: the ISR was so already, the metadata came first, or this answers an earlier
      // proposal. In the last case the latest is still under way, and its members must count.
      this.#doubt();
      this.#proposed = undefined;
      this.#count();
      return false;
    }
    if (this.#mayAnswerLate || !CERTAIN_REFUSALS.has(answer.code)) this.#doubt();
    // A proposal of an older partition epoch says nothing about this one.
    if (answer.code === "INVALID_UPDATE_VERSION" && this.#proposed !== undefined) {
      this.#isOutdated = true;
    }
    this.#proposed = undefined;
    this.#count();
    return false;
  }

  /**
   * No answer will come any more, as far as one can tell; or the newer partition epoch that a
   * refusal spoke of does not come, as when a late refusal was taken for another proposal's.
   */
  giveUp(): void {
    if (this.#awaitsAnswer) this.#mayAnswerLate = true;
    this.#isOutdated = false;
    this.#awaitsAnswer = false;
    this.#doubt();
    this.#proposed = undefined;
    this.#count();
  }

  /** The controller's state became known. Returns whether it is newer than the known one. */
  changed(isr: readonly NodeId[], partitionEpoch: number): boolean {
    if (partitionEpoch <= this.#partitionEpoch) return false;
    this.#partitionEpoch = partitionEpoch;
    this.#committed = isr;
    this.#proposed = undefined;
    this.#doubtful = [];
    this.#isOutdated = false;
    this.#count();
    return true;
  }

  #doubt(): void {
    this.#doubtful = [...new Set([...this.#doubtful, ...(this.#proposed ?? [])])];
  }

  #count(): void {
    this.#maximal = [
      ...new Set([...this.#committed, ...(this.#proposed ?? []), ...this.#doubtful]),
    ];
  }
}
