/** A topic's configuration as its partitions use it. One object per topic and configuration. */
import { type MetadataImage, topicConfig } from "@strandline/metadata";
import type { LogConfig } from "@strandline/storage";

export interface TopicSettings {
  readonly log: LogConfig;
  readonly batchBytesMax: number;
  readonly inSyncReplicasMin: number;
  /** Records further in the future are refused: they would pin their segment. */
  readonly timestampAfterMsMax: number;
  readonly isLogAppendTime: boolean;
  readonly isCompacted: boolean;
}

export function topicSettings(
  image: MetadataImage,
  topicName: string,
  tailBytesMax: number,
): TopicSettings {
  const config = topicConfig(image, topicName);
  return {
    log: {
      segmentBytesMax: config.segmentBytesMax,
      segmentMs: config.segmentMs,
      indexIntervalBytes: config.indexIntervalBytes,
      retentionMs: config.retentionMs,
      retentionBytes: config.retentionBytes,
      fileDeleteDelayMs: config.fileDeleteDelayMs,
      isSynced: config.isSynced,
      tailBytesMax,
    },
    batchBytesMax: config.batchBytesMax,
    inSyncReplicasMin: config.inSyncReplicasMin,
    timestampAfterMsMax: config.timestampAfterMsMax,
    isLogAppendTime: config.isLogAppendTime,
    isCompacted: config.isCompacted,
  };
}
