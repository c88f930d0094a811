/** ElectLeaders: preferred leaders, or any. */
import { Api } from "../api.js";
import { array, int8, int16, int32, string, struct } from "../schema.js";

export const electLeaders = new Api({
  key: 43,
  name: "ElectLeaders",
  versions: "0-2",
  flexible: "2+",
  request: {
    electionType: int8({ versions: "1+" }),
    topicPartitions: array(struct({ topic: string(), partitions: array(int32()) }), {
      nullable: "0+",
    }),
    timeoutMs: int32({ default: 60_000 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: "1+" }),
    replicaElectionResults: array(
      struct({
        topic: string(),
        partitionResult: array(
          struct({
            partitionId: int32(),
            errorCode: int16(),
            errorMessage: string({ nullable: "0+" }),
          }),
        ),
      }),
    ),
  },
});
