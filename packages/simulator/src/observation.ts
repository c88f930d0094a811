/** What checkers are told: facts about the cluster, in the order in which they came true. */

/** One record as a log holds it. */
export interface ObservedRecord {
  readonly offset: number;
  readonly epoch: number;
  /** Tells the record's content from any other; the same on every replica. */
  readonly payload: string;
}

export type Observation =
  /** A node began to lead a partition. */
  | {
      readonly kind: "leader-elected";
      readonly node: string;
      /** Which run of the node's process; from 1. */
      readonly generation: number;
      readonly partition: string;
      readonly epoch: number;
    }
  | {
      readonly kind: "high-watermark";
      readonly node: string;
      readonly generation: number;
      readonly partition: string;
      /** Exclusive. */
      readonly highWatermark: number;
    }
  /** A node is no replica any more; what it had of the partition is gone. */
  | {
      readonly kind: "replica-removed";
      readonly node: string;
      readonly generation: number;
      readonly partition: string;
    }
  /** A producer was told that its record is committed. */
  | {
      readonly kind: "acknowledged";
      readonly partition: string;
      readonly offset: number;
      readonly payload: string;
    }
  /** A consumer was given a record. */
  | {
      readonly kind: "consumed";
      readonly consumer: string;
      readonly partition: string;
      readonly offset: number;
      readonly payload: string;
    }
  /** A node became the leader of a raft term. */
  | {
      readonly kind: "raft-leader";
      readonly node: string;
      /** Of several raft groups in one world. */
      readonly group: string;
      readonly term: number;
    }
  /** A member of a consumer group was told what it owns in a generation. */
  | {
      readonly kind: "group-assigned";
      readonly group: string;
      readonly generation: number;
      readonly member: string;
      readonly partitions: readonly string[];
    }
  /** A member was told that its offset is committed. */
  | {
      readonly kind: "offset-committed";
      readonly group: string;
      readonly partition: string;
      readonly offset: number;
      readonly by: string;
    }
  /** Somebody asks for a committed offset: the answer may not be older than this moment. */
  | {
      readonly kind: "offset-asked";
      readonly group: string;
      readonly partition: string;
      /** Names the question, and its answer. */
      readonly question: string;
    }
  | {
      readonly kind: "offset-answered";
      readonly group: string;
      readonly partition: string;
      readonly question: string;
      /** -1: nothing is committed. */
      readonly offset: number;
    }
  /** The whole log of one replica, at the end of a run. */
  | {
      readonly kind: "log";
      readonly node: string;
      readonly partition: string;
      readonly isLeader: boolean;
      readonly logStartOffset: number;
      /** Exclusive. */
      readonly highWatermark: number;
      readonly records: readonly ObservedRecord[];
    };

/** One invariant. Told everything, it says what breaks it, in a sentence. */
export interface Checker {
  readonly name: string;
  /** Returns a sentence when this observation breaks the invariant. */
  observe(observation: Observation): string | undefined;
  /** Everything has been observed: returns what is wrong with the whole. */
  finish(): readonly string[];
}
