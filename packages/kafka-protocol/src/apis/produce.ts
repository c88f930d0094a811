/** Produce: batches to append, and where they went. */
import { Api } from "../api.js";
import { array, int16, int32, int64, records, string, struct } from "../schema.js";

export const produce = new Api({
  key: 0,
  name: "Produce",
  versions: "3-11",
  flexible: "9+",
  // Older librdkafka leaves its batches uncompressed unless it is told of version 0.
  advertisedFrom: 0,
  request: {
    transactionalId: string({ nullable: "3+", default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct({
        name: string(),
        partitionData: array(struct({ index: int32(), records: records({ nullable: "0+" }) })),
      }),
    ),
  },
  response: {
    responses: array(
      struct({
        name: string(),
        partitionResponses: array(
          struct({
            index: int32(),
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: int64({ versions: "2+", default: -1 }),
            logStartOffset: int64({ versions: "5+", default: -1 }),
            recordErrors: array(
              struct({
                batchIndex: int32(),
                batchIndexErrorMessage: string({ nullable: "8+", default: null }),
              }),
              { versions: "8+" },
            ),
            errorMessage: string({ versions: "8+", nullable: "8+", default: null }),
            currentLeader: struct(
              { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
              { versions: "10+", tag: 0 },
            ),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32({ versions: "1+" }),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: "10+", default: null }),
      }),
      { versions: "10+", tag: 0 },
    ),
  },
});
