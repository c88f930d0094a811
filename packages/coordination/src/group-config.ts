/** What an operator decides of consumer groups. */
export interface GroupConfig {
  /** Bounds of the session timeout that a member may ask for, in milliseconds. */
  readonly sessionMsMin: number;
  readonly sessionMsMax: number;
  /** How long the first member of an empty group waits for others, in milliseconds. */
  readonly initialRebalanceDelayMs: number;
  readonly groupMembersMax: number;
  /** Most bytes of the text that a commit may carry for one partition. */
  readonly offsetMetadataBytesMax: number;
  /** How long the offsets of a group without members are kept, in milliseconds. */
  readonly offsetsRetentionMs: number;
}
