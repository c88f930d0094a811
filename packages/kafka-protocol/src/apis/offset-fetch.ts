/** OffsetFetch: how far groups had come. */
import { Api } from "../api.js";
import { array, bool, int16, int32, int64, string, struct } from "../schema.js";

export const offsetFetch = new Api({
  key: 9,
  name: "OffsetFetch",
  versions: "1-9",
  flexible: "6+",
  request: {
    groupId: string({ versions: "0-7" }),
    topics: array(struct({ name: string(), partitionIndexes: array(int32()) }), {
      versions: "0-7",
      nullable: "2-7",
    }),
    groups: array(
      struct({
        groupId: string(),
        memberId: string({ versions: "9+", nullable: "9+", default: null }),
        memberEpoch: int32({ versions: "9+", default: -1 }),
        topics: array(struct({ name: string(), partitionIndexes: array(int32()) }), {
          nullable: "8+",
        }),
      }),
      { versions: "8+" },
    ),
    requireStable: bool({ versions: "7+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "3+" }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ versions: "5-7", default: -1 }),
            metadata: string({ nullable: "0-7" }),
            errorCode: int16(),
          }),
        ),
      }),
      { versions: "0-7" },
    ),
    errorCode: int16({ versions: "2-7" }),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                committedOffset: int64(),
                committedLeaderEpoch: int32({ default: -1 }),
                metadata: string({ nullable: "8+" }),
                errorCode: int16(),
              }),
            ),
          }),
        ),
        errorCode: int16(),
      }),
      { versions: "8+" },
    ),
  },
});
