/** One good request of every API: to be damaged, or sent in versions that there are not. */

const topicOf = (door) => door.name("sample");
const groupOf = (door) => door.name("sample-group");

export const SAMPLES = {
  Produce: (door) => ({
    acks: 1,
    timeoutMs: 1_000,
    topicData: [{ name: topicOf(door), partitionData: [{ index: 0, records: new Uint8Array(0) }] }],
  }),
  Fetch: () => ({ maxWaitMs: 1, minBytes: 1, topics: [] }),
  ListOffsets: () => ({ replicaId: -1, topics: [] }),
  Metadata: () => ({ topics: [] }),
  OffsetCommit: (door) => ({ groupId: groupOf(door), topics: [] }),
  OffsetFetch: (door) => ({ groupId: groupOf(door), topics: [], groups: [] }),
  FindCoordinator: (door) => ({ key: groupOf(door), keyType: 0, coordinatorKeys: [] }),
  JoinGroup: () => ({
    groupId: "",
    sessionTimeoutMs: 1,
    memberId: "",
    protocolType: "consumer",
    protocols: [],
  }),
  Heartbeat: () => ({ groupId: "", generationId: 1, memberId: "m" }),
  LeaveGroup: () => ({ groupId: "", memberId: "m", members: [] }),
  SyncGroup: () => ({ groupId: "", generationId: 1, memberId: "m", assignments: [] }),
  DescribeGroups: () => ({ groups: [] }),
  ListGroups: () => ({}),
  ApiVersions: () => ({ clientSoftwareName: "client", clientSoftwareVersion: "1" }),
  CreateTopics: () => ({ topics: [], timeoutMs: 1_000, validateOnly: true }),
  DeleteTopics: () => ({ topics: [], topicNames: [], timeoutMs: 1_000 }),
  DeleteRecords: () => ({ topics: [], timeoutMs: 1_000 }),
  InitProducerId: () => ({ transactionalId: null, transactionTimeoutMs: 1_000 }),
  OffsetForLeaderEpoch: () => ({ topics: [] }),
  DescribeConfigs: () => ({ resources: [] }),
  AlterConfigs: () => ({ resources: [], validateOnly: true }),
  DescribeLogDirs: () => ({ topics: [] }),
  CreatePartitions: () => ({ topics: [], timeoutMs: 1_000, validateOnly: true }),
  DeleteGroups: () => ({ groupsNames: [] }),
  ElectLeaders: () => ({ topicPartitions: [], timeoutMs: 1_000 }),
  IncrementalAlterConfigs: () => ({ resources: [], validateOnly: true }),
  AlterPartitionReassignments: () => ({ topics: [], timeoutMs: 1_000 }),
  ListPartitionReassignments: () => ({ topics: [], timeoutMs: 1_000 }),
  OffsetDelete: (door) => ({ groupId: groupOf(door), topics: [] }),
  DescribeQuorum: () => ({ topics: [] }),
  DescribeCluster: () => ({ includeClusterAuthorizedOperations: false }),
  DescribeTopicPartitions: () => ({ topics: [] }),
};
