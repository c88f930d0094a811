/** Which partition of the offsets topic a group belongs to. */

/** Every client and broker of the protocol computes the same, so that all agree on the place. */
export function groupPartition(groupId: string, partitionCount: number): number {
  // The least int32 has no positive counterpart: it counts as 0.
  const hash = textHash(groupId);
  return (hash === -2_147_483_648 ? 0 : Math.abs(hash)) % partitionCount;
}

/** Over UTF-16 units, in 32 bits that wrap: h = 31 * h + unit. */
function textHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  }
  return hash;
}
