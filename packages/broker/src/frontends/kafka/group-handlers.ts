/** The APIs of consumer groups, and what answers each. */
import type { GroupService } from "../../services/groups.js";
import { deleteGroupsHandler } from "./delete-groups.js";
import { describeGroupsHandler } from "./describe-groups.js";
import { findCoordinatorHandler } from "./find-coordinator.js";
import type { KafkaHandlers } from "./handler.js";
import { heartbeatHandler } from "./heartbeat.js";
import { joinGroupHandler } from "./join-group.js";
import { leaveGroupHandler } from "./leave-group.js";
import { listGroupsHandler } from "./list-groups.js";
import { offsetCommitHandler } from "./offset-commit.js";
import { offsetDeleteHandler } from "./offset-delete.js";
import { offsetFetchHandler } from "./offset-fetch.js";
import { syncGroupHandler } from "./sync-group.js";

export function groupHandlers(groups: GroupService): KafkaHandlers {
  return {
    FindCoordinator: findCoordinatorHandler(groups),
    JoinGroup: joinGroupHandler(groups),
    SyncGroup: syncGroupHandler(groups),
    Heartbeat: heartbeatHandler(groups),
    LeaveGroup: leaveGroupHandler(groups),
    OffsetCommit: offsetCommitHandler(groups),
    OffsetFetch: offsetFetchHandler(groups),
    DescribeGroups: describeGroupsHandler(groups),
    ListGroups: listGroupsHandler(groups),
    DeleteGroups: deleteGroupsHandler(groups),
    OffsetDelete: offsetDeleteHandler(groups),
  };
}
