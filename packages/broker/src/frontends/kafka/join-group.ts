/** JoinGroup: a member enters the next generation of its group. Waits for the others. */
import { type JoinResponse, joinRefusal } from "@strandline/coordination";
import type { OutgoingResponseOf, ServedApis } from "@strandline/kafka-protocol";
import { errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

/** Since then a member without an id is given one first, and joins with it. */
const MEMBER_ID_VERSION_MIN = 4;
/** Since then no protocol is null, and not an empty name. */
const NULL_PROTOCOL_VERSION_MIN = 7;
const SKIP_ASSIGNMENT_VERSION_MIN = 9;

export function joinGroupHandler(groups: GroupService): KafkaHandler<"JoinGroup"> {
  return async (request, { version, clientId, clientHost, signal }) => {
    const { memberId } = request;
    try {
      const joined = await groups.join(
        {
          groupId: request.groupId,
          memberId,
          instanceId: request.groupInstanceId ?? undefined,
          requiresKnownMemberId: version >= MEMBER_ID_VERSION_MIN,
          supportsSkippingAssignment: version >= SKIP_ASSIGNMENT_VERSION_MIN,
          sessionTimeoutMs: request.sessionTimeoutMs,
          rebalanceTimeoutMs: version === 0 ? undefined : request.rebalanceTimeoutMs,
          protocolType: request.protocolType,
          protocols: request.protocols,
          clientId,
          // With a slash, as tools know it: an address that has no name before it.
          clientHost: `/${clientHost}`,
        },
        { signal },
      );
      return response(joined, version);
    } catch (error) {
      return response(joinRefusal(refusalCode(error), memberId), version);
    }
  };
}

function response(
  joined: JoinResponse,
  version: number,
): OutgoingResponseOf<ServedApis["JoinGroup"]> {
  const noProtocol = version >= NULL_PROTOCOL_VERSION_MIN ? null : "";
  return {
    errorCode: errorNumber(joined.error),
    generationId: joined.generation,
    protocolType: joined.protocolType ?? null,
    protocolName: joined.protocolName ?? noProtocol,
    leader: joined.leaderId,
    skipAssignment: joined.skipAssignment,
    memberId: joined.memberId,
    members: joined.members.map(({ memberId, instanceId, metadata }) => ({
      memberId,
      groupInstanceId: instanceId ?? null,
      metadata,
    })),
  };
}
