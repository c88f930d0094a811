/** Gives the cluster its identity. The first controller leader does it, once. */
import type { ClusterId } from "@strandline/model";
import { accept, type Decision, refuse } from "../decision.js";
import type { MetadataImage } from "../image.js";
import type { JsonObject } from "../json.js";

export interface InitializeClusterCommand {
  readonly kind: "initialize-cluster";
  readonly clusterId: ClusterId;
}

export interface InitializeClusterResponse {
  readonly kind: "initialize-cluster";
  readonly clusterId: ClusterId;
}

export function decideInitializeCluster(
  image: MetadataImage,
  command: InitializeClusterCommand,
): Decision<InitializeClusterResponse> {
  const { clusterId } = command;
  if (image.clusterId === undefined) {
    return accept({ kind: "initialize-cluster", clusterId }, [
      { type: "cluster", version: 1, clusterId },
    ]);
  }
  if (image.clusterId === clusterId) return accept({ kind: "initialize-cluster", clusterId });
  return refuse("INCONSISTENT_CLUSTER_ID", `this cluster already is ${image.clusterId}`);
}

export function decodeInitializeCluster(json: JsonObject): InitializeClusterCommand {
  return { kind: "initialize-cluster", clusterId: json.uuid("clusterId") as ClusterId };
}
