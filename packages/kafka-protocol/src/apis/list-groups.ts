/** ListGroups. */
import { Api } from "../api.js";
import { array, int16, int32, string, struct } from "../schema.js";

export const listGroups = new Api({
  key: 16,
  name: "ListGroups",
  versions: "0-5",
  flexible: "3+",
  request: {
    statesFilter: array(string(), { versions: "4+" }),
    typesFilter: array(string(), { versions: "5+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+" }),
    errorCode: int16(),
    groups: array(
      struct({
        groupId: string(),
        protocolType: string(),
        groupState: string({ versions: "4+" }),
        groupType: string({ versions: "5+" }),
      }),
    ),
  },
});
