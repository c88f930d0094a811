/** ListGroups: the groups that this broker coordinates. */
import { errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

export function listGroupsHandler(groups: GroupService): KafkaHandler<"ListGroups"> {
  return async ({ statesFilter, typesFilter }, { signal }) => {
    try {
      const listed = await groups.list({ states: statesFilter, types: typesFilter }, { signal });
      return {
        errorCode: 0,
        groups: listed.map(({ groupId, protocolType, state, type }) => ({
          groupId,
          protocolType,
          groupState: state,
          groupType: type,
        })),
      };
    } catch (error) {
      return { errorCode: errorNumber(refusalCode(error)), groups: [] };
    }
  };
}
