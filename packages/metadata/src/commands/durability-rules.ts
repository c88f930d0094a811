/** What a topic may promise less than by default, and who has to say so. */
import { inSyncReplicasMin, topicConfigValue } from "../config-resolution.js";
import { type Refused, refuse } from "../decision.js";
import type { MetadataImage } from "../image.js";

/** Fewest replicas at which records that no disk holds yet may be acknowledged. */
export const REPLICATED_FACTOR_MIN = 3;

/**
 * Returns why a topic of these settings is refused. `image` already holds the settings. With an
 * ISR of one an acknowledgement is as good as that one disk, which surprises whoever asked for
 * several replicas: so it needs an explicit permission.
 */
export function durabilityRefusal(
  image: MetadataImage,
  topicName: string,
  options: { readonly replicationFactor: number; readonly allowWeakDurability: boolean },
): Refused | undefined {
  const { replicationFactor } = options;
  const inSyncMin = inSyncReplicasMin(image, topicName);
  if (replicationFactor >= 2 && inSyncMin === 1 && !options.allowWeakDurability) {
    return weakDurabilityRefusal(replicationFactor);
  }
  const isReplicated = topicConfigValue(image, topicName, "durability") === "replicated";
  if (isReplicated && replicationFactor < REPLICATED_FACTOR_MIN) {
    return refuse(
      "INVALID_CONFIG",
      `durability=replicated needs a replication factor of ${REPLICATED_FACTOR_MIN} or more, ` +
        `not ${replicationFactor}: the other replicas are all that keeps a record`,
    );
  }
  return undefined;
}

export function weakDurabilityRefusal(replicationFactor: number): Refused {
  return refuse(
    "POLICY_VIOLATION",
    `min.insync.replicas=1 with ${replicationFactor} replicas lets the loss of one disk take ` +
      "acknowledged records; use 2, or allow weak durability explicitly",
  );
}
