/** Heartbeat: a member of a group lives. */
import { Api } from "../api.js";
import { int16, int32, string } from "../schema.js";

export const heartbeat = new Api({
  key: 12,
  name: "Heartbeat",
  versions: "0-4",
  flexible: "4+",
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: "3+", nullable: "3+", default: null }),
  },
  response: { throttleTimeMs: int32({ versions: "1+" }), errorCode: int16() },
});
