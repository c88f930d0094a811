/** DeleteGroups. */
import { Api } from "../api.js";
import { array, int16, int32, string, struct } from "../schema.js";

export const deleteGroups = new Api({
  key: 42,
  name: "DeleteGroups",
  versions: "0-2",
  flexible: "2+",
  request: { groupsNames: array(string()) },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array(struct({ groupId: string(), errorCode: int16() })),
  },
});
