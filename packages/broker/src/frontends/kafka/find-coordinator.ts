/**
 * FindCoordinator: which broker keeps a group. Makes the topic of groups when it is missing. Nothing
 * but groups has a coordinator here.
 */
import { type ErrorCode, errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaAddress, KafkaHandler, KafkaRequestContext } from "./handler.js";

const GROUP = 0;
/** Since then one request asks for many. */
const BATCH_VERSION_MIN = 4;

interface Found {
  readonly errorCode: number;
  readonly errorMessage: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export function findCoordinatorHandler(groups: GroupService): KafkaHandler<"FindCoordinator"> {
  return async (request, context) => {
    const { version } = context;
    const find = (key: string): Found =>
      request.keyType === GROUP
        ? coordinatorOf(groups, key, context)
        : refused("INVALID_REQUEST", "");
    const nobody = { errorCode: 0, errorMessage: null, nodeId: -1, host: "", port: -1 };
    if (version >= BATCH_VERSION_MIN) {
      const keys = request.coordinatorKeys;
      return { ...nobody, coordinators: keys.map((key) => ({ key, ...find(key) })) };
    }
    const found = find(request.key);
    // In these versions success has a message as well.
    const errorMessage = found.errorCode === 0 ? "NONE" : found.errorMessage;
    return { ...found, errorMessage, coordinators: [] };
  };
}

function coordinatorOf(
  groups: GroupService,
  groupId: string,
  { listener }: KafkaRequestContext,
): Found {
  const nodeId = groups.coordinatorOf(groupId);
  const address: KafkaAddress | undefined =
    nodeId === undefined ? undefined : listener.endpointOf(nodeId);
  if (nodeId === undefined || address === undefined) {
    return refused("COORDINATOR_NOT_AVAILABLE", "The coordinator is not available.");
  }
  return { errorCode: 0, errorMessage: "", nodeId, ...address };
}

function refused(code: ErrorCode, errorMessage: string): Found {
  return { errorCode: errorNumber(code), errorMessage, nodeId: -1, host: "", port: -1 };
}
