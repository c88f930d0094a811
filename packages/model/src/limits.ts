/** Bounds that hold for every node of a cluster, each with its reason. */

/** Longest topic name, as Kafka: it was once a file name with a suffix. Characters. */
export const TOPIC_NAME_LENGTH_MAX = 249;

/** Largest record batch a topic may be configured to accept; keeps one message far below the
 * transport's limit and one segment position within an int32. Bytes. */
export const BATCH_BYTES_LIMIT = 64 * 1024 * 1024;

/** Default of a topic's `max.message.bytes`: 1 MiB and the overhead of one batch, as Kafka. */
export const BATCH_BYTES_DEFAULT = 1024 * 1024 + 12;

/** Partitions one topic may have: a command must fit one metadata transaction. */
export const TOPIC_PARTITIONS_MAX = 10_000;

/** Largest message between two processes: a batch at its limit, and room for its envelope. Bytes. */
export const MESSAGE_BYTES_MAX = BATCH_BYTES_LIMIT + 1024 * 1024;

/** Batches remembered per producer and partition, and so requests in flight (KIP-98). */
export const PRODUCER_BATCHES_KEPT = 5;

/** Returns why a topic name is refused, or undefined when it is legal. */
export function topicNameProblem(name: string): string | undefined {
  if (name.length === 0) return "a topic name must not be empty";
  if (name.length > TOPIC_NAME_LENGTH_MAX) {
    return `a topic name has at most ${TOPIC_NAME_LENGTH_MAX} characters; this one has ${name.length}`;
  }
  if (name === "." || name === "..") return `a topic must not be named "${name}"`;
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return "a topic name may hold only letters, digits, '.', '_' and '-'";
  }
  return undefined;
}
