/** How the protocol numbers where a setting's value comes from. */
import type { ConfigSource } from "@strandline/metadata";

const SOURCE_NUMBERS: Readonly<Record<ConfigSource, number>> = {
  topic: 1,
  broker: 2,
  cluster: 3,
  static: 4,
  default: 5,
  group: 8,
};

export function configSourceNumber(source: ConfigSource): number {
  return SOURCE_NUMBERS[source];
}
