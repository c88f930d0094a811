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
  /** How often offsets are looked through for those to drop, in milliseconds. */
  readonly offsetsRetentionCheckMs: number;
}

/** What a broker does unless told otherwise. The values are those that clients count on. */
export const GROUP_CONFIG_DEFAULTS: GroupConfig = {
  sessionMsMin: 6_000,
  sessionMsMax: 1_800_000,
  initialRebalanceDelayMs: 3_000,
  groupMembersMax: 2_147_483_647,
  offsetMetadataBytesMax: 4_096,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  offsetsRetentionCheckMs: 600_000,
};
