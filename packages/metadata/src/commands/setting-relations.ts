/** Settings that are legal each, but not together. */
import type { NodeId } from "@strandline/model";
import { topicConfig } from "../config-resolution.js";
import { type Refused, refuse } from "../decision.js";
import { brokerResource, type MetadataImage } from "../image.js";

/** What changed: a topic's settings, one broker's, or, with neither, those of all brokers. */
export interface Changed {
  readonly topic: { readonly name: string } | undefined;
  readonly broker: NodeId | undefined;
}

/** Returns why the settings do not go together. `image` already holds them. */
export function relationRefusal(
  image: MetadataImage,
  { topic, broker }: Changed,
): Refused | undefined {
  if (topic !== undefined || broker !== undefined) {
    return lagRefusal(image, topic?.name ?? "", broker);
  }
  // What is set for one broker stands beside a new default of all.
  const own = [...image.nodes.keys()].filter((id) => image.configs.has(brokerResource(id)));
  for (const id of [undefined, ...own]) {
    const refusal = lagRefusal(image, "", id);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function lagRefusal(
  image: MetadataImage,
  topicName: string,
  broker: NodeId | undefined,
): Refused | undefined {
  const { compactionLagMsMin, compactionLagMsMax } = topicConfig(image, topicName, broker);
  if (compactionLagMsMin <= compactionLagMsMax) return undefined;
  return refuse(
    "INVALID_CONFIG",
    `min.compaction.lag.ms is ${compactionLagMsMin}, above max.compaction.lag.ms, which is ` +
      `${compactionLagMsMax}: no record could ever be compacted in time`,
  );
}
