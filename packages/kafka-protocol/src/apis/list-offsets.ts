/** ListOffsets: the offset of a time, or of an end of the log. */
import { Api } from "../api.js";
import { array, int8, int16, int32, int64, int64Place, string, struct } from "../schema.js";

export const listOffsets = new Api({
  key: 2,
  name: "ListOffsets",
  versions: "1-9",
  flexible: "6+",
  request: {
    replicaId: int32(),
    isolationLevel: int8({ versions: "2+" }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: int32({ versions: "4+", default: -1 }),
            timestamp: int64Place(),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32({ versions: "2+" }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            timestamp: int64({ versions: "1+", default: -1 }),
            offset: int64({ versions: "1+", default: -1 }),
            leaderEpoch: int32({ versions: "4+", default: -1 }),
          }),
        ),
      }),
    ),
  },
});
