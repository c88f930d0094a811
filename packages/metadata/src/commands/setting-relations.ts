/** Settings that are legal each, but not together. */
import { topicConfig } from "../config-resolution.js";
import { type Refused, refuse } from "../decision.js";
import type { MetadataImage } from "../image.js";

/**
 * Returns why a topic's settings do not go together; with an empty name, the defaults of all
 * topics. `image` already holds them.
 */
export function relationRefusal(image: MetadataImage, topicName: string): Refused | undefined {
  const { compactionLagMsMin, compactionLagMsMax } = topicConfig(image, topicName);
  if (compactionLagMsMin <= compactionLagMsMax) return undefined;
  return refuse(
    "INVALID_CONFIG",
    `min.compaction.lag.ms is ${compactionLagMsMin}, above max.compaction.lag.ms, which is ` +
      `${compactionLagMsMax}: no record could ever be compacted in time`,
  );
}
