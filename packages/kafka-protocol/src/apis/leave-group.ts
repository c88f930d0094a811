/** LeaveGroup: members go. */
import { Api } from "../api.js";
import { array, int16, int32, string, struct } from "../schema.js";

export const leaveGroup = new Api({
  key: 13,
  name: "LeaveGroup",
  versions: "0-5",
  flexible: "4+",
  request: {
    groupId: string(),
    memberId: string({ versions: "0-2" }),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ nullable: "3+", default: null }),
        reason: string({ versions: "5+", nullable: "5+", default: null }),
      }),
      { versions: "3+" },
    ),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+" }),
    errorCode: int16(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ nullable: "3+" }),
        errorCode: int16(),
      }),
      { versions: "3+" },
    ),
  },
});
