export type { CompactionConfig } from "./compaction-plan.js";
export {
  DataDirectory,
  DataDirectoryError,
  type DataDirectoryOptions,
  type DataDirectoryPorts,
} from "./data-directory.js";
export { openLevelStore, StoreError } from "./level-store.js";
export { Log } from "./log.js";
export type { CompactionReport, CompactionRequest } from "./log-compaction.js";
export type {
  LogConfig,
  LogObserver,
  LogOptions,
  LogPorts,
  LogRecovery,
  OffsetRange,
} from "./log-options.js";
export type { TimestampAnswer } from "./log-read.js";
export { ReadAhead } from "./read-ahead.js";
export { TailMemory } from "./tail-memory.js";
