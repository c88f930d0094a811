/** A topic's configuration as its partitions on one broker use it. One object per topic and configuration. */
import { type MetadataImage, type TopicConfig, topicConfig } from "@strandline/metadata";
import type { NodeId } from "@strandline/model";
import type { CompressionName } from "@strandline/record";
import type { CompactionConfig, LogConfig } from "@strandline/storage";

export interface TopicSettings {
  readonly log: LogConfig;
  readonly batchBytesMax: number;
  readonly inSyncReplicasMin: number;
  /** Records further in the future are refused: they would pin their segment. */
  readonly timestampAfterMsMax: number;
  readonly isLogAppendTime: boolean;
  readonly isCompacted: boolean;
  /** What clients' batches are packed with before they are stored; undefined: as they came. */
  readonly compression: CompressionName | undefined;
}

export function topicSettings(
  image: MetadataImage,
  topicName: string,
  broker: { readonly nodeId: NodeId; readonly tailBytesMax: number },
): TopicSettings {
  const config = topicConfig(image, topicName, broker.nodeId);
  return {
    log: {
      segmentBytesMax: config.segmentBytesMax,
      // What is in the active segment is not compacted, so it must not be active for too long.
      segmentMs: config.isCompacted
        ? Math.min(config.segmentMs, config.compactionLagMsMax)
        : config.segmentMs,
      indexIntervalBytes: config.indexIntervalBytes,
      retentionMs: config.isDeleted ? config.retentionMs : -1,
      retentionBytes: config.isDeleted ? config.retentionBytes : -1,
      fileDeleteDelayMs: config.fileDeleteDelayMs,
      isSynced: config.isSynced,
      tailBytesMax: broker.tailBytesMax,
      compaction: config.isCompacted ? compactionOf(config) : undefined,
    },
    batchBytesMax: config.batchBytesMax,
    inSyncReplicasMin: config.inSyncReplicasMin,
    timestampAfterMsMax: config.timestampAfterMsMax,
    isLogAppendTime: config.isLogAppendTime,
    isCompacted: config.isCompacted,
    compression: compressionNameOf(config.compressionType),
  };
}

function compressionNameOf(type: TopicConfig["compressionType"]): CompressionName | undefined {
  if (type === "producer") return undefined;
  return type === "uncompressed" ? "none" : type;
}

function compactionOf(config: TopicConfig): CompactionConfig {
  return {
    lagMsMin: config.compactionLagMsMin,
    lagMsMax: config.compactionLagMsMax,
    deleteRetentionMs: config.deleteRetentionMs,
    dirtyRatioMin: config.dirtyRatioMin,
  };
}
