/** DeleteGroups: groups without members, and all they have committed. */
import { errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

export function deleteGroupsHandler(groups: GroupService): KafkaHandler<"DeleteGroups"> {
  return async (request, { signal }) => {
    const remove = async (groupId: string): Promise<number> => {
      try {
        return errorNumber((await groups.deleteGroup({ groupId }, { signal })).error);
      } catch (error) {
        return errorNumber(refusalCode(error));
      }
    };
    const results = await Promise.all(
      [...new Set(request.groupsNames)].map(async (groupId) => {
        return { groupId, errorCode: await remove(groupId) };
      }),
    );
    return { results };
  };
}
