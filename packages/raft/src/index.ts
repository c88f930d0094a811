export type { ConfigurationChange, ConfigurationRefusal, Proposed } from "./membership.js";
export {
  type EntryFields,
  type MessageFields,
  messageFields,
  messageOf,
} from "./message-fields.js";
export type {
  Append,
  AppendAnswer,
  AppendRefusal,
  Entry,
  HardState,
  Heartbeat,
  HeartbeatAnswer,
  InstallSnapshot,
  MessageKind,
  PreVote,
  PreVoteAnswer,
  RaftMessage,
  ReadIndex,
  ReadIndexAnswer,
  Role,
  Snapshot,
  StaleTerm,
  TimeoutNow,
  Vote,
  VoteAnswer,
} from "./messages.js";
export { type PeerStatus, RaftNode, type Ready } from "./node.js";
export type { RaftOptions, Restored } from "./options.js";
export { raftOptionsProblems, restoredProblem } from "./options.js";
export type { ProgressState } from "./progress.js";
export type { ReadState } from "./state.js";
export { decodeVoters, encodeVoters, votersProblem } from "./voters.js";
