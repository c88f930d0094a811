/** What a broker's settings say of groups. */
import type { GroupConfig } from "@strandline/coordination";
import type { BrokerSettings } from "@strandline/metadata";

const MINUTE_MS = 60_000;

export function groupConfig(settings: BrokerSettings): GroupConfig {
  return {
    sessionMsMin: settings.number("group.min.session.timeout.ms"),
    sessionMsMax: settings.number("group.max.session.timeout.ms"),
    initialRebalanceDelayMs: settings.number("group.initial.rebalance.delay.ms"),
    groupMembersMax: settings.number("group.max.size"),
    offsetMetadataBytesMax: settings.number("offset.metadata.max.bytes"),
    offsetsRetentionMs: settings.number("offsets.retention.minutes") * MINUTE_MS,
    offsetsRetentionCheckMs: settings.number("offsets.retention.check.interval.ms"),
  };
}

/** How the topic of groups is made. */
export interface OffsetsTopicConfig {
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly segmentBytes: number;
}

export function offsetsTopicConfig(settings: BrokerSettings): OffsetsTopicConfig {
  return {
    partitionCount: settings.number("offsets.topic.num.partitions"),
    replicationFactor: settings.number("offsets.topic.replication.factor"),
    segmentBytes: settings.number("offsets.topic.segment.bytes"),
  };
}
