/** gRPC service `strandline.v1.Groups`: decodes, calls the services, encodes. Decides nothing. */
import { type RpcRoute, unaryRoute } from "@strandline/platform";
import { groupsMethods } from "@strandline/rpc";
import type { GroupAdmin } from "../../services/group-admin.js";

export function groupRoutes(admin: GroupAdmin): RpcRoute[] {
  return [
    unaryRoute(
      groupsMethods.listGroups,
      async (request, _peer, signal) => await admin.list(request, signal),
    ),
    unaryRoute(
      groupsMethods.describeGroup,
      async ({ groupId }, _peer, signal) => await admin.describe(groupId, signal),
    ),
    unaryRoute(
      groupsMethods.fetchOffsets,
      async (request, _peer, signal) => await admin.fetchOffsets(request, signal),
    ),
    unaryRoute(groupsMethods.commitOffsets, async (request, _peer, signal) => ({
      refusals: await admin.commitOffsets(request, signal),
    })),
    unaryRoute(groupsMethods.deleteOffsets, async (request, _peer, signal) => ({
      refusals: await admin.deleteOffsets(request, signal),
    })),
    unaryRoute(groupsMethods.deleteGroup, async ({ groupId }, _peer, signal) => {
      await admin.deleteGroup(groupId, signal);
      return {};
    }),
  ];
}
