/** What the coordinator runtime needs of a partition that this broker leads. */
import type { OnProduced } from "../partition/produce-ticket.js";

export interface ShardLeadership {
  /** Fewer replicas are in sync than a record needs to be committed. */
  readonly core: { readonly isUnderMinIsr: boolean };
  append(
    batch: Uint8Array,
    options: { readonly acks: "all"; readonly timeoutMs: number; readonly isInternal: true },
    onProduced: OnProduced,
  ): void;
}

export interface ShardPartition {
  readonly key: string;
  readonly log: {
    readonly logStartOffset: number;
    readonly logEndOffset: number;
    read(fromOffset: number, bytesMax: number, endOffset: number): Promise<readonly Uint8Array[]>;
  };
  readonly highWatermark: number;
  readonly isLeader: boolean;
  readonly leaderEpoch: number;
  /** Throws the refusal unless this broker leads in that epoch, and may serve. */
  requireLeader(epoch: number): ShardLeadership;
  /** `reader` is called when more is committed, and when a leadership ends. */
  onCommitted(reader: () => void): () => void;
}
