/** DescribeTopicPartitions: topics page by page, with who may still lead. */
import { Api } from "../api.js";
import { array, bool, int16, int32, string, struct, uuid } from "../schema.js";

export const describeTopicPartitions = new Api({
  key: 75,
  name: "DescribeTopicPartitions",
  versions: "0",
  flexible: "0+",
  request: {
    topics: array(struct({ name: string() })),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: struct(
      { topicName: string(), partitionIndex: int32() },
      { nullable: "0+", default: null },
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array(
      struct({
        errorCode: int16(),
        name: string({ nullable: "0+" }),
        topicId: uuid(),
        isInternal: bool(),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32({ default: -1 }),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            eligibleLeaderReplicas: array(int32(), { nullable: "0+", default: null }),
            lastKnownElr: array(int32(), { nullable: "0+", default: null }),
            offlineReplicas: array(int32()),
          }),
        ),
        topicAuthorizedOperations: int32({ default: -2_147_483_648 }),
      }),
    ),
    nextCursor: struct(
      { topicName: string(), partitionIndex: int32() },
      { nullable: "0+", default: null },
    ),
  },
});
