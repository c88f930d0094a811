import { describe, expect, it } from "vitest";
import { ADVERTISED_VERSIONS, advertisedVersions, SERVED_APIS, servedApi } from "./served-apis.js";

describe("served APIs", () => {
  it("are these, in these versions", () => {
    const table = Object.values(SERVED_APIS).map(
      ({ key, name, versions }) => `${key} ${name} ${versions.from}-${versions.to}`,
    );
    expect(table).toEqual([
      "0 Produce 3-11",
      "1 Fetch 4-17",
      "2 ListOffsets 1-9",
      "3 Metadata 0-12",
      "8 OffsetCommit 2-9",
      "9 OffsetFetch 1-9",
      "10 FindCoordinator 0-6",
      "11 JoinGroup 0-9",
      "12 Heartbeat 0-4",
      "13 LeaveGroup 0-5",
      "14 SyncGroup 0-5",
      "15 DescribeGroups 0-6",
      "16 ListGroups 0-5",
      "18 ApiVersions 0-4",
      "19 CreateTopics 2-7",
      "20 DeleteTopics 1-6",
      "21 DeleteRecords 0-2",
      "22 InitProducerId 0-5",
      "23 OffsetForLeaderEpoch 2-4",
      "32 DescribeConfigs 1-4",
      "33 AlterConfigs 0-2",
      "35 DescribeLogDirs 1-4",
      "37 CreatePartitions 0-3",
      "42 DeleteGroups 0-2",
      "43 ElectLeaders 0-2",
      "44 IncrementalAlterConfigs 0-1",
      "45 AlterPartitionReassignments 0-1",
      "46 ListPartitionReassignments 0-0",
      "47 OffsetDelete 0-0",
      "55 DescribeQuorum 0-2",
      "60 DescribeCluster 0-2",
      "75 DescribeTopicPartitions 0-0",
    ]);
  });

  it("are found by their number and under their name", () => {
    for (const [name, api] of Object.entries(SERVED_APIS)) {
      expect(api.name).toBe(name);
      expect(servedApi(api.key)).toBe(api);
    }
    expect(servedApi(17)).toBeUndefined();
  });

  it("tell clients the versions they take, and of Produce the ones that librdkafka looks for", () => {
    expect(advertisedVersions(["Fetch", "Produce"])).toEqual([
      { apiKey: 0, minVersion: 0, maxVersion: 11 },
      { apiKey: 1, minVersion: 4, maxVersion: 17 },
    ]);
    for (const { apiKey, minVersion, maxVersion } of ADVERTISED_VERSIONS.slice(1)) {
      expect(servedApi(apiKey)?.versions).toEqual({ from: minVersion, to: maxVersion });
    }
  });
});
