/** InitProducerId: an identity for a producer whose retries are not stored twice. */
import { Api } from "../api.js";
import { int16, int32, int64, string } from "../schema.js";

export const initProducerId = new Api({
  key: 22,
  name: "InitProducerId",
  versions: "0-5",
  flexible: "2+",
  request: {
    transactionalId: string({ nullable: "0+" }),
    transactionTimeoutMs: int32(),
    producerId: int64({ versions: "3+", default: -1 }),
    producerEpoch: int16({ versions: "3+", default: -1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
  },
});
