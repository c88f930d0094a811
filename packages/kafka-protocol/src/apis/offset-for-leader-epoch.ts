/** OffsetForLeaderEpoch: where a leadership ended. */
import { Api } from "../api.js";
import { array, int16, int32, int64, string, struct } from "../schema.js";

export const offsetForLeaderEpoch = new Api({
  key: 23,
  name: "OffsetForLeaderEpoch",
  versions: "2-4",
  flexible: "4+",
  request: {
    replicaId: int32({ versions: "3+", default: -2 }),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32({ versions: "2+", default: -1 }),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32({ versions: "2+" }),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            errorCode: int16(),
            partition: int32(),
            leaderEpoch: int32({ versions: "1+", default: -1 }),
            endOffset: int64({ default: -1 }),
          }),
        ),
      }),
    ),
  },
});
