/** AlterPartitionReassignments: move replicas, or stop moving them. */
import { Api } from "../api.js";
import { array, bool, int16, int32, string, struct } from "../schema.js";

export const alterPartitionReassignments = new Api({
  key: 45,
  name: "AlterPartitionReassignments",
  versions: "0-1",
  flexible: "0+",
  request: {
    timeoutMs: int32({ default: 60_000 }),
    allowReplicationFactorChange: bool({ versions: "1+", default: true }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicas: array(int32(), { nullable: "0+", default: null }),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    allowReplicationFactorChange: bool({ versions: "1+", default: true }),
    errorCode: int16(),
    errorMessage: string({ nullable: "0+" }),
    responses: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: string({ nullable: "0+" }),
          }),
        ),
      }),
    ),
  },
});
