/**
 * Every API that there are codecs for, by name, each with its versions. What is not in here cannot
 * be told to clients, and a request for it is refused.
 */
import type { AnyApi } from "../api.js";
import { alterConfigs } from "./alter-configs.js";
import { alterPartitionReassignments } from "./alter-partition-reassignments.js";
import { apiVersions } from "./api-versions.js";
import { createPartitions } from "./create-partitions.js";
import { createTopics } from "./create-topics.js";
import { deleteGroups } from "./delete-groups.js";
import { deleteRecords } from "./delete-records.js";
import { deleteTopics } from "./delete-topics.js";
import { describeCluster } from "./describe-cluster.js";
import { describeConfigs } from "./describe-configs.js";
import { describeGroups } from "./describe-groups.js";
import { describeLogDirs } from "./describe-log-dirs.js";
import { describeQuorum } from "./describe-quorum.js";
import { describeTopicPartitions } from "./describe-topic-partitions.js";
import { electLeaders } from "./elect-leaders.js";
import { fetch } from "./fetch.js";
import { findCoordinator } from "./find-coordinator.js";
import { heartbeat } from "./heartbeat.js";
import { incrementalAlterConfigs } from "./incremental-alter-configs.js";
import { initProducerId } from "./init-producer-id.js";
import { joinGroup } from "./join-group.js";
import { leaveGroup } from "./leave-group.js";
import { listGroups } from "./list-groups.js";
import { listOffsets } from "./list-offsets.js";
import { listPartitionReassignments } from "./list-partition-reassignments.js";
import { metadata } from "./metadata.js";
import { offsetCommit } from "./offset-commit.js";
import { offsetDelete } from "./offset-delete.js";
import { offsetFetch } from "./offset-fetch.js";
import { offsetForLeaderEpoch } from "./offset-for-leader-epoch.js";
import { produce } from "./produce.js";
import { syncGroup } from "./sync-group.js";

export const SERVED_APIS = {
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  Metadata: metadata,
  OffsetCommit: offsetCommit,
  OffsetFetch: offsetFetch,
  FindCoordinator: findCoordinator,
  JoinGroup: joinGroup,
  Heartbeat: heartbeat,
  LeaveGroup: leaveGroup,
  SyncGroup: syncGroup,
  DescribeGroups: describeGroups,
  ListGroups: listGroups,
  ApiVersions: apiVersions,
  CreateTopics: createTopics,
  DeleteTopics: deleteTopics,
  DeleteRecords: deleteRecords,
  InitProducerId: initProducerId,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  DescribeConfigs: describeConfigs,
  AlterConfigs: alterConfigs,
  DescribeLogDirs: describeLogDirs,
  CreatePartitions: createPartitions,
  DeleteGroups: deleteGroups,
  ElectLeaders: electLeaders,
  IncrementalAlterConfigs: incrementalAlterConfigs,
  AlterPartitionReassignments: alterPartitionReassignments,
  ListPartitionReassignments: listPartitionReassignments,
  OffsetDelete: offsetDelete,
  DescribeQuorum: describeQuorum,
  DescribeCluster: describeCluster,
  DescribeTopicPartitions: describeTopicPartitions,
} as const satisfies Readonly<Record<string, AnyApi>>;

export type ServedApis = typeof SERVED_APIS;
export type ApiName = keyof ServedApis;

const BY_KEY: ReadonlyMap<number, AnyApi> = new Map(
  Object.values(SERVED_APIS).map((api) => [api.key, api]),
);

/** The API of a number, when it is served. */
export function servedApi(key: number): AnyApi | undefined {
  return BY_KEY.get(key);
}

export interface VersionsOfApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * What an ApiVersions response says of some APIs, in the order of their numbers: a listener tells
 * clients of those that it answers.
 */
export function advertisedVersions(names: readonly ApiName[]): readonly VersionsOfApi[] {
  return names
    .map((name) => SERVED_APIS[name])
    .map(({ key, advertisedFrom, versions }) => ({
      apiKey: key,
      minVersion: advertisedFrom,
      maxVersion: versions.to,
    }))
    .sort((a, b) => a.apiKey - b.apiKey);
}

/** Of all APIs that there are. */
export const ADVERTISED_VERSIONS = advertisedVersions(Object.keys(SERVED_APIS) as ApiName[]);
