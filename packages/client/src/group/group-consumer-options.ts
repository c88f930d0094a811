/** Settings of one member of a group. */
import { refuseProblems, requireNotNegative, requirePositive } from "../client-options.js";
import type { StartAt } from "../cluster/offset-finder.js";
import {
  type ConsumerOptions,
  type ResolvedConsumerOptions,
  resolveConsumerOptions,
} from "../consumer/consumer-options.js";
import type { TopicPartitionName } from "../consumer/consumer-record.js";

export interface GroupConsumerOptions
  extends Pick<
    ConsumerOptions,
    "prefetchBytesMax" | "fetchBytesMax" | "checkCrcs" | "unpackedBytesMax"
  > {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Names a member that gets its partitions back when it returns within its session. */
  readonly instanceId?: string | undefined;
  /** Where to begin when the group has committed nothing: "latest" unless given. */
  readonly start?: Exclude<StartAt, { readonly offset: number }> | undefined;
  /** How often what was done is committed; 0: only by `commit()`. Milliseconds. */
  readonly autoCommitMs?: number | undefined;
  /** How long the member may be away before others get its partitions. Milliseconds. */
  readonly sessionTimeoutMs?: number | undefined;
  /** How long it may take to be done with what is taken from it. Milliseconds. */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** Assignors that it would go by, the best first; all that there are unless given. */
  readonly assignors?: readonly string[] | undefined;
  readonly onAssigned?: ((partitions: readonly TopicPartitionName[]) => void) | undefined;
  /**
   * Partitions are taken away. It may still commit for them until the promise resolves, unless
   * they are lost: then others read them already.
   */
  readonly onRevoked?:
    | ((partitions: readonly TopicPartitionName[], isLost: boolean) => void | Promise<void>)
    | undefined;
}

export interface ResolvedGroupConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly instanceId: string;
  readonly start: StartAt;
  readonly autoCommitMs: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly assignors: readonly string[];
  readonly onAssigned: NonNullable<GroupConsumerOptions["onAssigned"]>;
  readonly onRevoked: NonNullable<GroupConsumerOptions["onRevoked"]>;
  readonly consumer: ResolvedConsumerOptions;
}

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that lists every problem. */
export function resolveGroupConsumerOptions(
  options: GroupConsumerOptions,
): ResolvedGroupConsumerOptions {
  const { prefetchBytesMax, fetchBytesMax, checkCrcs, unpackedBytesMax } = options;
  const resolved: ResolvedGroupConsumerOptions = {
    groupId: options.groupId,
    topics: [...new Set(options.topics)],
    instanceId: options.instanceId ?? "",
    start: options.start ?? "latest",
    autoCommitMs: options.autoCommitMs ?? 5_000,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
    assignors: options.assignors ?? [],
    onAssigned: options.onAssigned ?? (() => {}),
    onRevoked: options.onRevoked ?? (() => {}),
    consumer: resolveConsumerOptions({
      prefetchBytesMax,
      fetchBytesMax,
      checkCrcs,
      unpackedBytesMax,
    }),
  };
  const problems: string[] = [];
  if (resolved.groupId === "") problems.push("groupId must not be empty");
  if (resolved.topics.length === 0) problems.push("topics must name at least one topic");
  requireNotNegative(problems, "autoCommitMs", resolved.autoCommitMs);
  requirePositive(problems, "sessionTimeoutMs", resolved.sessionTimeoutMs);
  requirePositive(problems, "rebalanceTimeoutMs", resolved.rebalanceTimeoutMs);
  refuseProblems(problems);
  return resolved;
}
