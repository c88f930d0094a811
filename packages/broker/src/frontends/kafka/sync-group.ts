/** SyncGroup: the leader of a group hands assignments in, members fetch theirs. */
import { errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

/** Since then a member says which protocol it takes the assignment for. */
const PROTOCOL_VERSION_MIN = 5;
const NO_BYTES = new Uint8Array(0);

export function syncGroupHandler(groups: GroupService): KafkaHandler<"SyncGroup"> {
  return async (request, { version, signal }) => {
    const refused = { protocolType: null, protocolName: null, assignment: NO_BYTES };
    const { protocolType, protocolName } = request;
    if (version >= PROTOCOL_VERSION_MIN && (protocolType === null || protocolName === null)) {
      return { ...refused, errorCode: errorNumber("INCONSISTENT_GROUP_PROTOCOL") };
    }
    try {
      const synced = await groups.sync(
        {
          groupId: request.groupId,
          memberId: request.memberId,
          instanceId: request.groupInstanceId ?? undefined,
          generation: request.generationId,
          protocolType: protocolType ?? undefined,
          protocolName: protocolName ?? undefined,
          assignments: request.assignments,
        },
        { signal },
      );
      return {
        errorCode: errorNumber(synced.error),
        protocolType: synced.protocolType ?? null,
        protocolName: synced.protocolName ?? null,
        assignment: synced.assignment,
      };
    } catch (error) {
      return { ...refused, errorCode: errorNumber(refusalCode(error)) };
    }
  };
}
