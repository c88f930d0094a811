/** DescribeCluster: the brokers that a client of this listener can reach. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import { BrokerError } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import { CLUSTER_OPERATIONS, NOT_ASKED } from "./authorized-operations.js";
import type { KafkaHandler } from "./handler.js";
import { refusalFields } from "./refused.js";

type Request = RequestOf<ServedApis["DescribeCluster"]>;
type Broker = OutgoingResponseOf<ServedApis["DescribeCluster"]>["brokers"][number];

const BROKERS = 1;
const CONTROLLERS = 2;

export function describeClusterHandler(
  parts: Pick<AdminHandlerParts, "nodeId" | "directory" | "controllerId">,
): KafkaHandler<"DescribeCluster"> {
  return async (request, { listener }) => {
    try {
      requireBrokers(request);
    } catch (error) {
      return { ...refusalFields(error), clusterId: "", brokers: [] };
    }
    const { image } = parts.directory;
    const brokers: Broker[] = [];
    for (const node of image.nodes.values()) {
      if (node.isFenced && !request.includeFencedBrokers) continue;
      const address = listener.endpointOf(node.id);
      if (address === undefined) continue;
      const rack = node.rack === "" ? null : node.rack;
      brokers.push({ brokerId: node.id, ...address, rack, isFenced: node.isFenced });
    }
    const controllerId = parts.controllerId();
    const isReachable = brokers.some((each) => each.brokerId === controllerId && !each.isFenced);
    return {
      errorCode: 0,
      clusterId: image.clusterId ?? "",
      // Any broker passes on what is for the controller; this one is sure to be reachable.
      controllerId: isReachable ? controllerId : parts.nodeId,
      brokers,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? CLUSTER_OPERATIONS
        : NOT_ASKED,
    };
  };
}

function requireBrokers({ endpointType }: Request): void {
  if (endpointType === BROKERS) return;
  if (endpointType === CONTROLLERS) {
    throw new BrokerError("MISMATCHED_ENDPOINT_TYPE", "clients reach brokers here, no controllers");
  }
  throw new BrokerError("UNSUPPORTED_ENDPOINT_TYPE", `there is no endpoint type ${endpointType}`);
}
