/**
 * The settings a group may have in Kafka's consumer protocol (KIP-848). Groups speak the classic
 * protocol here, in which its members bring these times themselves: they are checked within Kafka's
 * bounds, kept and shown where somebody set them, and nothing reads them. Those of share groups and
 * of streams groups are refused, as there are no such groups.
 */
import type { ConfigSpec } from "./config-spec.js";

export interface GroupConfigSpec extends ConfigSpec {
  /** Kafka's name of its default, a setting of brokers. */
  readonly kafkaName: string;
}

const WITHOUT_EFFECT =
  "Stored for compatibility with Kafka; has no effect: groups speak the classic protocol.";

/** Every one of them, by name. */
export const GROUP_CONFIGS: readonly GroupConfigSpec[] = (
  [
    { name: "consumer.assignment.interval.ms", defaultValue: "1000", min: 0, max: 15_000 },
    { name: "consumer.heartbeat.interval.ms", defaultValue: "5000", min: 5_000, max: 15_000 },
    { name: "consumer.session.timeout.ms", defaultValue: "45000", min: 45_000, max: 60_000 },
  ] as const
).map((config) => ({
  ...config,
  type: "int",
  kafkaName: `group.${config.name}`,
  documentation: WITHOUT_EFFECT,
}));

const BY_NAME = new Map(GROUP_CONFIGS.map((spec) => [spec.name, spec]));

export function groupConfigSpec(name: string): GroupConfigSpec | undefined {
  return BY_NAME.get(name);
}

/** The kind of group that a setting of Kafka belongs to, where there is none of that kind here. */
export function absentGroupKind(name: string): "share" | "streams" | undefined {
  if (name.startsWith("share.")) return "share";
  return name.startsWith("streams.") ? "streams" : undefined;
}
