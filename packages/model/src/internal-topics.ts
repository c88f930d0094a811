/** Topics that the cluster keeps for itself: clients read them, and never write to them. */

/** What consumer groups have committed, and who their members are. */
export const GROUPS_TOPIC = "__consumer_offsets";
/** What transactions are doing. */
export const TRANSACTIONS_TOPIC = "__transaction_state";

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([GROUPS_TOPIC, TRANSACTIONS_TOPIC]);

export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name);
}
