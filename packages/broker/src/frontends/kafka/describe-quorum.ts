/** DescribeQuorum: the controllers' log, under the name of the topic that it is in Kafka. */
import {
  type OutgoingResponseOf,
  type RequestOf,
  type ServedApis,
  ZERO_UUID,
} from "@strandline/kafka-protocol";
import type { MetadataImage } from "@strandline/metadata";
import { errorNumber, type NodeId } from "@strandline/model";
import type { DescribeQuorumResponse, QuorumReplica } from "@strandline/rpc";
import type { AdminHandlerParts } from "./admin-handlers.js";
import type { KafkaHandler } from "./handler.js";
import { refusalFields } from "./refused.js";

type Request = RequestOf<ServedApis["DescribeQuorum"]>;
type Response = OutgoingResponseOf<ServedApis["DescribeQuorum"]>;
type Partition = Response["topics"][number]["partitions"][number];
type Replica = Partition["currentVoters"][number];

const METADATA_TOPIC = "__cluster_metadata";

export function describeQuorumHandler({
  admin,
  directory,
}: Pick<AdminHandlerParts, "admin" | "directory">): KafkaHandler<"DescribeQuorum"> {
  return async (request) => {
    const isAsked = request.topics.some(({ topicName, partitions }) =>
      partitions.some(({ partitionIndex }) => isMetadata(topicName, partitionIndex)),
    );
    try {
      const quorum = isAsked ? await admin.describeQuorum() : undefined;
      return {
        errorCode: 0,
        errorMessage: "",
        topics: topicsOf(request, quorum),
        nodes: quorum === undefined ? [] : nodesOf(directory.image, quorum),
      };
    } catch (error) {
      return { ...refusalFields(error), topics: [], nodes: [] };
    }
  };
}

function isMetadata(topic: string, partition: number): boolean {
  return topic === METADATA_TOPIC && partition === 0;
}

function topicsOf(request: Request, quorum: DescribeQuorumResponse | undefined) {
  return request.topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }): Partition => {
      if (quorum !== undefined && isMetadata(topicName, partitionIndex)) {
        return partitionOf(partitionIndex, quorum);
      }
      return {
        partitionIndex,
        errorCode: errorNumber("UNKNOWN_TOPIC_OR_PARTITION"),
        errorMessage: `only ${METADATA_TOPIC}-0 has a quorum`,
        leaderId: 0,
        leaderEpoch: 0,
        highWatermark: 0,
        currentVoters: [],
        observers: [],
      };
    }),
  }));
}

function partitionOf(partitionIndex: number, quorum: DescribeQuorumResponse): Partition {
  return {
    partitionIndex,
    errorCode: 0,
    errorMessage: "",
    leaderId: quorum.leaderId,
    leaderEpoch: quorum.leaderEpoch,
    highWatermark: quorum.highWatermark,
    currentVoters: quorum.voters.map(replicaOf),
    observers: quorum.observers.map(replicaOf),
  };
}

function replicaOf(replica: QuorumReplica): Replica {
  return {
    replicaId: replica.nodeId,
    replicaDirectoryId: replica.directoryId === "" ? ZERO_UUID : replica.directoryId,
    logEndOffset: replica.logEndOffset,
    lastFetchTimestamp: replica.lastFetchMs,
    lastCaughtUpTimestamp: replica.lastCaughtUpMs,
  };
}

/** Where the voters talk to each other. No client can do anything there. */
function nodesOf(image: MetadataImage, quorum: DescribeQuorumResponse) {
  return quorum.voters.flatMap(({ nodeId }) => {
    const address = image.nodes.get(nodeId as NodeId)?.peerAddress;
    if (address === undefined) return [];
    const at = address.lastIndexOf(":");
    const listener = { name: "CONTROLLER", host: address.slice(0, at) };
    return [{ nodeId, listeners: [{ ...listener, port: Number(address.slice(at + 1)) }] }];
  });
}
