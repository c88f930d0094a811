/** Heartbeat: a member of a group lives. */
import { errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

export function heartbeatHandler(groups: GroupService): KafkaHandler<"Heartbeat"> {
  return async (request, { signal }) => {
    try {
      const { error } = await groups.heartbeat(
        {
          groupId: request.groupId,
          memberId: request.memberId,
          instanceId: request.groupInstanceId ?? undefined,
          generation: request.generationId,
        },
        { signal },
      );
      return { errorCode: errorNumber(error) };
    } catch (error) {
      const code = refusalCode(error);
      // Nobody's session ends while the group is loaded: there is nothing to say against it.
      return { errorCode: code === "COORDINATOR_LOAD_IN_PROGRESS" ? 0 : errorNumber(code) };
    }
  };
}
