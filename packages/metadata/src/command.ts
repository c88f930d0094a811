/**
 * All commands, in one list: what each decides, and how it is read from JSON. `decide` changes
 * nothing; it looks at the image that includes everything decided before, committed or not.
 */
import { BrokerError } from "@strandline/model";
import {
  type AllocateProducerIdsCommand,
  type AllocateProducerIdsResponse,
  decideAllocateProducerIds,
  decodeAllocateProducerIds,
} from "./commands/allocate-producer-ids.js";
import {
  type AlterConfigsCommand,
  type AlterConfigsResponse,
  decideAlterConfigs,
  decodeAlterConfigs,
} from "./commands/alter-configs.js";
import {
  type AlterPartitionCommand,
  type AlterPartitionResponse,
  decideAlterPartition,
  decodeAlterPartition,
} from "./commands/alter-partition.js";
import {
  type AlterReassignmentsCommand,
  type AlterReassignmentsResponse,
  decideAlterReassignments,
  decodeAlterReassignments,
} from "./commands/alter-reassignments.js";
import {
  type CompleteReassignmentsCommand,
  type CompleteReassignmentsResponse,
  decideCompleteReassignments,
  decodeCompleteReassignments,
} from "./commands/complete-reassignments.js";
import {
  type CreatePartitionsCommand,
  type CreatePartitionsResponse,
  decideCreatePartitions,
  decodeCreatePartitions,
} from "./commands/create-partitions.js";
import {
  type CreateTopicCommand,
  type CreateTopicResponse,
  decideCreateTopic,
  decodeCreateTopic,
} from "./commands/create-topic.js";
import {
  type DeleteTopicCommand,
  type DeleteTopicResponse,
  decideDeleteTopic,
  decodeDeleteTopic,
} from "./commands/delete-topic.js";
import {
  decideElectLeaders,
  decodeElectLeaders,
  type ElectLeadersCommand,
  type ElectLeadersResponse,
} from "./commands/elect-leaders.js";
import {
  decideFenceNode,
  decodeFenceNode,
  type FenceNodeCommand,
  type FenceNodeResponse,
} from "./commands/fence-node.js";
import {
  decideInitializeCluster,
  decodeInitializeCluster,
  type InitializeClusterCommand,
  type InitializeClusterResponse,
} from "./commands/initialize-cluster.js";
import {
  decideNodeFailed,
  decodeNodeFailed,
  type NodeFailedCommand,
  type NodeFailedResponse,
} from "./commands/node-failed.js";
import {
  decideNodeStopping,
  decodeNodeStopping,
  type NodeStoppingCommand,
  type NodeStoppingResponse,
} from "./commands/node-stopping.js";
import {
  decideRebalanceLeaders,
  decodeRebalanceLeaders,
  type RebalanceLeadersCommand,
  type RebalanceLeadersResponse,
} from "./commands/rebalance-leaders.js";
import {
  decideRegisterNode,
  decodeRegisterNode,
  type RegisterNodeCommand,
  type RegisterNodeResponse,
} from "./commands/register-node.js";
import {
  decideRemoveNode,
  decodeRemoveNode,
  type RemoveNodeCommand,
  type RemoveNodeResponse,
} from "./commands/remove-node.js";
import {
  decideUnfenceNode,
  decodeUnfenceNode,
  type UnfenceNodeCommand,
  type UnfenceNodeResponse,
} from "./commands/unfence-node.js";
import type { Decision } from "./decision.js";
import type { MetadataImage } from "./image.js";
import { JsonObject, type JsonValue } from "./json.js";
import { MetadataError } from "./metadata-error.js";

export type MetadataCommand =
  | AllocateProducerIdsCommand
  | AlterConfigsCommand
  | AlterPartitionCommand
  | AlterReassignmentsCommand
  | CompleteReassignmentsCommand
  | CreatePartitionsCommand
  | CreateTopicCommand
  | DeleteTopicCommand
  | ElectLeadersCommand
  | FenceNodeCommand
  | InitializeClusterCommand
  | NodeFailedCommand
  | NodeStoppingCommand
  | RebalanceLeadersCommand
  | RegisterNodeCommand
  | RemoveNodeCommand
  | UnfenceNodeCommand;

/** Plain JSON, named by the command's kind. */
export type CommandResponse =
  | AllocateProducerIdsResponse
  | AlterConfigsResponse
  | AlterPartitionResponse
  | AlterReassignmentsResponse
  | CompleteReassignmentsResponse
  | CreatePartitionsResponse
  | CreateTopicResponse
  | DeleteTopicResponse
  | ElectLeadersResponse
  | FenceNodeResponse
  | InitializeClusterResponse
  | NodeFailedResponse
  | NodeStoppingResponse
  | RebalanceLeadersResponse
  | RegisterNodeResponse
  | RemoveNodeResponse
  | UnfenceNodeResponse;

export type CommandKind = MetadataCommand["kind"];
export type CommandOf<Kind extends CommandKind> = Extract<MetadataCommand, { readonly kind: Kind }>;
export type ResponseOf<Kind extends CommandKind> = Extract<
  CommandResponse,
  { readonly kind: Kind }
>;

interface CommandSpec<Kind extends CommandKind> {
  readonly decide: (image: MetadataImage, command: CommandOf<Kind>) => Decision<ResponseOf<Kind>>;
  readonly decode: (json: JsonObject) => CommandOf<Kind>;
  /** Brokers may hand it over for their clients. The others are the active controller's own. */
  readonly isSubmittable: boolean;
}

const COMMANDS: { readonly [Kind in CommandKind]: CommandSpec<Kind> } = {
  "allocate-producer-ids": {
    decide: decideAllocateProducerIds,
    decode: decodeAllocateProducerIds,
    isSubmittable: true,
  },
  "alter-configs": { decide: decideAlterConfigs, decode: decodeAlterConfigs, isSubmittable: true },
  "alter-partition": {
    decide: decideAlterPartition,
    decode: decodeAlterPartition,
    isSubmittable: true,
  },
  "alter-reassignments": {
    decide: decideAlterReassignments,
    decode: decodeAlterReassignments,
    isSubmittable: true,
  },
  "complete-reassignments": {
    decide: decideCompleteReassignments,
    decode: decodeCompleteReassignments,
    isSubmittable: false,
  },
  "create-partitions": {
    decide: decideCreatePartitions,
    decode: decodeCreatePartitions,
    isSubmittable: true,
  },
  "create-topic": { decide: decideCreateTopic, decode: decodeCreateTopic, isSubmittable: true },
  "delete-topic": { decide: decideDeleteTopic, decode: decodeDeleteTopic, isSubmittable: true },
  "elect-leaders": { decide: decideElectLeaders, decode: decodeElectLeaders, isSubmittable: true },
  "fence-node": { decide: decideFenceNode, decode: decodeFenceNode, isSubmittable: false },
  "initialize-cluster": {
    decide: decideInitializeCluster,
    decode: decodeInitializeCluster,
    isSubmittable: false,
  },
  "node-failed": { decide: decideNodeFailed, decode: decodeNodeFailed, isSubmittable: false },
  "node-stopping": { decide: decideNodeStopping, decode: decodeNodeStopping, isSubmittable: false },
  "rebalance-leaders": {
    decide: decideRebalanceLeaders,
    decode: decodeRebalanceLeaders,
    isSubmittable: false,
  },
  "register-node": { decide: decideRegisterNode, decode: decodeRegisterNode, isSubmittable: false },
  "remove-node": { decide: decideRemoveNode, decode: decodeRemoveNode, isSubmittable: true },
  "unfence-node": { decide: decideUnfenceNode, decode: decodeUnfenceNode, isSubmittable: false },
};

/**
 * What a command comes to on this image. Also an accepted decision without records rests on
 * everything decided before it: its response must wait until that is committed.
 */
export function decide<Command extends MetadataCommand>(
  image: MetadataImage,
  command: Command,
): Decision<ResponseOf<Command["kind"]>> {
  const spec = COMMANDS[command.kind] as unknown as {
    decide(image: MetadataImage, command: Command): Decision<ResponseOf<Command["kind"]>>;
  };
  return spec.decide(image, command);
}

/** True for a command that may arrive from another process (rpc Submit). */
export function isSubmittable(command: MetadataCommand): boolean {
  return COMMANDS[command.kind].isSubmittable;
}

/** A command as plain JSON. */
export function encodeCommand(command: MetadataCommand): JsonValue {
  return command as unknown as JsonValue;
}

/** Reads an untrusted command. Throws BrokerError INVALID_REQUEST on anything malformed. */
export function decodeCommand(value: unknown): MetadataCommand {
  try {
    const json = new JsonObject(value, "command");
    const kind = json.text("kind");
    if (!isCommandKind(kind)) throw new MetadataError(`there is no command "${kind}"`);
    return COMMANDS[kind].decode(json);
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    throw new BrokerError("INVALID_REQUEST", error.message, { cause: error });
  }
}

function isCommandKind(kind: string): kind is CommandKind {
  return Object.hasOwn(COMMANDS, kind);
}
