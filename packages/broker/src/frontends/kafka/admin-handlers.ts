/** The APIs of administration, and what answers each. */
import type { NodeId } from "@strandline/model";
import type { AdminService } from "../../services/admin.js";
import type { Directory } from "../../services/directory.js";
import type { LogDirs } from "../../services/log-dirs.js";
import { alterConfigsHandler } from "./alter-configs.js";
import { alterPartitionReassignmentsHandler } from "./alter-partition-reassignments.js";
import { createPartitionsHandler } from "./create-partitions.js";
import { deleteRecordsHandler } from "./delete-records.js";
import { describeClusterHandler } from "./describe-cluster.js";
import { describeConfigsHandler } from "./describe-configs.js";
import { describeLogDirsHandler } from "./describe-log-dirs.js";
import { describeQuorumHandler } from "./describe-quorum.js";
import { describeTopicPartitionsHandler } from "./describe-topic-partitions.js";
import { electLeadersHandler } from "./elect-leaders.js";
import type { KafkaHandlers } from "./handler.js";
import { incrementalAlterConfigsHandler } from "./incremental-alter-configs.js";
import { listPartitionReassignmentsHandler } from "./list-partition-reassignments.js";

export interface AdminHandlerParts {
  readonly nodeId: NodeId;
  readonly admin: AdminService;
  readonly directory: Directory;
  readonly logDirs: LogDirs;
  /** What this broker's operator wrote, by the names of its settings. */
  readonly written: ReadonlyMap<string, string>;
  /** The active controller, -1 while unknown. */
  controllerId(): number;
}

export function adminHandlers(parts: AdminHandlerParts): KafkaHandlers {
  return {
    CreatePartitions: createPartitionsHandler(parts),
    DeleteRecords: deleteRecordsHandler(parts),
    DescribeConfigs: describeConfigsHandler(parts),
    AlterConfigs: alterConfigsHandler(parts),
    IncrementalAlterConfigs: incrementalAlterConfigsHandler(parts),
    DescribeCluster: describeClusterHandler(parts),
    DescribeTopicPartitions: describeTopicPartitionsHandler(parts),
    DescribeLogDirs: describeLogDirsHandler(parts),
    ElectLeaders: electLeadersHandler(parts),
    AlterPartitionReassignments: alterPartitionReassignmentsHandler(parts),
    ListPartitionReassignments: listPartitionReassignmentsHandler(parts),
    DescribeQuorum: describeQuorumHandler(parts),
  };
}
