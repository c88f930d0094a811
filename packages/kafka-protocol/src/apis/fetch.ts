/** Fetch: what to read and since when; batches as they lie in the log. */
import { Api } from "../api.js";
import {
  array,
  int8,
  int16,
  int32,
  int64,
  int64Place,
  records,
  string,
  struct,
  uuid,
} from "../schema.js";

export const fetch = new Api({
  key: 1,
  name: "Fetch",
  versions: "4-17",
  flexible: "12+",
  request: {
    clusterId: string({ versions: "12+", nullable: "12+", tag: 0, default: null }),
    replicaId: int32({ versions: "0-14", default: -1 }),
    replicaState: struct(
      { replicaId: int32({ default: -1 }), replicaEpoch: int64({ default: -1 }) },
      { versions: "15+", tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ versions: "3+", default: 0x7fff_ffff }),
    isolationLevel: int8({ versions: "4+" }),
    sessionId: int32({ versions: "7+" }),
    sessionEpoch: int32({ versions: "7+", default: -1 }),
    topics: array(
      struct({
        topic: string({ versions: "0-12" }),
        topicId: uuid({ versions: "13+" }),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32({ versions: "9+", default: -1 }),
            fetchOffset: int64Place(),
            lastFetchedEpoch: int32({ versions: "12+", default: -1 }),
            logStartOffset: int64Place({ versions: "5+", default: -1 }),
            partitionMaxBytes: int32(),
            replicaDirectoryId: uuid({ versions: "17+", tag: 0 }),
          }),
        ),
      }),
    ),
    forgottenTopicsData: array(
      struct({
        topic: string({ versions: "7-12" }),
        topicId: uuid({ versions: "13+" }),
        partitions: array(int32()),
      }),
      { versions: "7+" },
    ),
    rackId: string({ versions: "11+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+" }),
    errorCode: int16({ versions: "7+" }),
    sessionId: int32({ versions: "7+" }),
    responses: array(
      struct({
        topic: string({ versions: "0-12" }),
        topicId: uuid({ versions: "13+" }),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            highWatermark: int64(),
            lastStableOffset: int64({ versions: "4+", default: -1 }),
            logStartOffset: int64({ versions: "5+", default: -1 }),
            divergingEpoch: struct(
              { epoch: int32({ default: -1 }), endOffset: int64({ default: -1 }) },
              { versions: "12+", tag: 0 },
            ),
            currentLeader: struct(
              { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
              { versions: "12+", tag: 1 },
            ),
            snapshotId: struct(
              { endOffset: int64({ default: -1 }), epoch: int32({ default: -1 }) },
              { versions: "12+", tag: 2 },
            ),
            abortedTransactions: array(struct({ producerId: int64(), firstOffset: int64() }), {
              versions: "4+",
              nullable: "4+",
            }),
            preferredReadReplica: int32({ versions: "11+", default: -1 }),
            records: records({ nullable: "0+" }),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: "16+", default: null }),
      }),
      { versions: "16+", tag: 0 },
    ),
  },
});
