/** LeaveGroup: members go. */
import { errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

/** Since then several members go with one request, each with an outcome of its own. */
const BATCH_VERSION_MIN = 3;

export function leaveGroupHandler(groups: GroupService): KafkaHandler<"LeaveGroup"> {
  return async (request, { version, signal }) => {
    const isBatch = version >= BATCH_VERSION_MIN;
    const leaving = isBatch
      ? request.members
      : [{ memberId: request.memberId, groupInstanceId: null }];
    try {
      const left = await groups.leave(
        {
          groupId: request.groupId,
          members: leaving.map(({ memberId, groupInstanceId }) => ({
            memberId,
            instanceId: groupInstanceId ?? undefined,
          })),
        },
        { signal },
      );
      const members = left.members.map(({ memberId, instanceId, error }) => ({
        memberId,
        groupInstanceId: instanceId ?? null,
        errorCode: errorNumber(error),
      }));
      const only = isBatch ? 0 : (members[0]?.errorCode ?? 0);
      return { errorCode: errorNumber(left.error) || only, members };
    } catch (error) {
      return { errorCode: errorNumber(refusalCode(error)), members: [] };
    }
  };
}
