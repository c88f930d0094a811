/** CreateTopics. */
import { Api } from "../api.js";
import { array, bool, int8, int16, int32, string, struct, uuid } from "../schema.js";

export const createTopics = new Api({
  key: 19,
  name: "CreateTopics",
  versions: "2-7",
  flexible: "5+",
  request: {
    topics: array(
      struct({
        name: string(),
        numPartitions: int32(),
        replicationFactor: int16(),
        assignments: array(struct({ partitionIndex: int32(), brokerIds: array(int32()) })),
        configs: array(struct({ name: string(), value: string({ nullable: "0+" }) })),
      }),
    ),
    timeoutMs: int32({ default: 60_000 }),
    validateOnly: bool({ versions: "1+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "2+" }),
    topics: array(
      struct({
        name: string(),
        topicId: uuid({ versions: "7+" }),
        errorCode: int16(),
        errorMessage: string({ nullable: "0+" }),
        topicConfigErrorCode: int16({ versions: "5+", tag: 0 }),
        numPartitions: int32({ versions: "5+", default: -1 }),
        replicationFactor: int16({ versions: "5+", default: -1 }),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: "5+" }),
            readOnly: bool(),
            configSource: int8({ default: -1 }),
            isSensitive: bool(),
          }),
          { versions: "5+", nullable: "5+" },
        ),
      }),
    ),
  },
});
