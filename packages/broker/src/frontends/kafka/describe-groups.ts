/** DescribeGroups: members of groups, and what they were assigned. */
import type { OutgoingResponseOf, ServedApis } from "@strandline/kafka-protocol";
import { type ErrorCode, errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import { GROUP_OPERATIONS, NOT_ASKED } from "./authorized-operations.js";
import type { KafkaHandler, KafkaRequestContext } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

/** Before it, a group that does not exist was one that is dead. */
const NO_GROUP_VERSION_MIN = 6;

type Described = OutgoingResponseOf<ServedApis["DescribeGroups"]>["groups"][number];

export function describeGroupsHandler(groups: GroupService): KafkaHandler<"DescribeGroups"> {
  return async (request, context) => {
    const authorizedOperations = request.includeAuthorizedOperations ? GROUP_OPERATIONS : NOT_ASKED;
    const described = await Promise.all(
      request.groups.map(async (groupId) => await describe(groups, groupId, context)),
    );
    return {
      groups: described.map((group) => {
        return group.errorCode === 0 ? { ...group, authorizedOperations } : group;
      }),
    };
  };
}

async function describe(
  groups: GroupService,
  groupId: string,
  { version, signal }: KafkaRequestContext,
): Promise<Described> {
  try {
    const group = await groups.describe({ groupId }, { signal });
    const isUnknown = group.error === "GROUP_ID_NOT_FOUND";
    const error = isUnknown && version < NO_GROUP_VERSION_MIN ? undefined : group.error;
    return {
      errorCode: errorNumber(error),
      errorMessage: error === undefined ? null : `Group ${groupId} not found.`,
      groupId,
      groupState: group.state,
      protocolType: group.protocolType,
      protocolData: group.protocolName,
      members: group.members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.instanceId ?? null,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: member.metadata,
        memberAssignment: member.assignment,
      })),
    };
  } catch (error) {
    return refused(groupId, refusalCode(error));
  }
}

function refused(groupId: string, code: ErrorCode): Described {
  return {
    errorCode: errorNumber(code),
    errorMessage: null,
    groupId,
    groupState: "",
    protocolType: "",
    protocolData: "",
    members: [],
  };
}
