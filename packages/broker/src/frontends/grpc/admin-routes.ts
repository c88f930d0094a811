/** gRPC service `strandline.v1.Admin`: decodes, calls the service, encodes. Decides nothing. */
import { type RpcRoute, unaryRoute } from "@strandline/platform";
import { adminMethods } from "@strandline/rpc";
import type { AdminService } from "../../services/admin.js";

export function adminRoutes(admin: AdminService): RpcRoute[] {
  return [
    unaryRoute(adminMethods.createTopic, async (request) => await admin.createTopic(request)),
    unaryRoute(adminMethods.deleteTopic, async (request) => {
      await admin.deleteTopic(request.name);
      return {};
    }),
    unaryRoute(adminMethods.listTopics, async () => admin.listTopics()),
    unaryRoute(
      adminMethods.describeTopic,
      async (request) => await admin.describeTopic(request.name),
    ),
    unaryRoute(adminMethods.createPartitions, async (request) => {
      await admin.createPartitions(request);
      return {};
    }),
    unaryRoute(adminMethods.deleteRecords, async (request) => await admin.deleteRecords(request)),
    unaryRoute(
      adminMethods.describeConfigs,
      async (request) =>
        await admin.describeConfigs(request.resource ?? { type: "TYPE_BROKER", name: "" }),
    ),
    unaryRoute(adminMethods.alterConfigs, async (request) => {
      await admin.alterConfigs(request);
      return {};
    }),
    unaryRoute(adminMethods.electLeaders, async (request) => await admin.electLeaders(request)),
    unaryRoute(
      adminMethods.alterReassignments,
      async (request) => await admin.alterReassignments(request),
    ),
    unaryRoute(adminMethods.describeQuorum, async () => await admin.describeQuorum()),
    unaryRoute(adminMethods.describeCluster, async () => admin.describeCluster()),
    unaryRoute(adminMethods.getMetadata, async (request) => admin.getMetadata(request)),
  ];
}
