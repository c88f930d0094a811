/** DeleteTopics, by name or by id. */
import { Api } from "../api.js";
import { array, int16, int32, string, struct, uuid } from "../schema.js";

export const deleteTopics = new Api({
  key: 20,
  name: "DeleteTopics",
  versions: "1-6",
  flexible: "4+",
  request: {
    topics: array(struct({ name: string({ nullable: "6+", default: null }), topicId: uuid() }), {
      versions: "6+",
    }),
    topicNames: array(string(), { versions: "0-5" }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+" }),
    responses: array(
      struct({
        name: string({ nullable: "6+" }),
        topicId: uuid({ versions: "6+" }),
        errorCode: int16(),
        errorMessage: string({ versions: "5+", nullable: "5+", default: null }),
      }),
    ),
  },
});
