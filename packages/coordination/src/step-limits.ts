/**
 * What one step may write at most. Its records are one batch, and a batch that is too large is
 * refused as a whole: with it the shard would be thrown away, and all groups of it with one.
 */

/** All words of all members of one group for their assignors; and all its assignments. Bytes. */
export const GROUP_BYTES_MAX = 16 * 1024 * 1024;

/** Keys and values of one commit. Bytes. */
export const COMMIT_BYTES_MAX = 16 * 1024 * 1024;

/** Offsets that one step deletes when nobody waits for it; the others follow. */
export const DELETIONS_MAX = 10_000;
