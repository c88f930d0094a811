/** DescribeLogDirs: what lies in the data directories. */
import { Api } from "../api.js";
import { array, bool, int16, int32, int64, string, struct } from "../schema.js";

export const describeLogDirs = new Api({
  key: 35,
  name: "DescribeLogDirs",
  versions: "1-4",
  flexible: "2+",
  request: {
    topics: array(struct({ topic: string(), partitions: array(int32()) }), { nullable: "0+" }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: "3+" }),
    results: array(
      struct({
        errorCode: int16(),
        logDir: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                partitionSize: int64(),
                offsetLag: int64(),
                isFutureKey: bool(),
              }),
            ),
          }),
        ),
        totalBytes: int64({ versions: "4+", default: -1 }),
        usableBytes: int64({ versions: "4+", default: -1 }),
      }),
    ),
  },
});
