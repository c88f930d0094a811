/**
 * Admits one incarnation of a node. It starts fenced, and whatever an earlier incarnation led has
 * moved away in the same transaction: a leadership belongs to one incarnation, so the leader epoch
 * has grown before this one can append anything.
 */
import type { BrokerEpoch, ClusterId, DirectoryId, NodeId } from "@strandline/model";
import { topicConfigValue } from "../config-resolution.js";
import { accept, type Decision, type Refused, refuse } from "../decision.js";
import { departureRecords, type LogTrust } from "../departure.js";
import type { MetadataImage, NodeRegistration, Topic } from "../image.js";
import type { JsonObject } from "../json.js";
import {
  decodeKafkaListeners,
  type KafkaListener,
  sameKafkaListeners,
} from "../kafka-listeners.js";
import type { MetadataRecord } from "../records.js";
import { replay } from "../replay.js";
import { writtenRecords } from "../static-settings.js";
import { stepsAfter } from "./alter-configs.js";
import type { Settings } from "./config-changes.js";

/** Former processes that are remembered. One cut off for longer than so many starts is unlikely. */
const FORMER_INCARNATIONS_MAX = 8;

export interface RegisterNodeCommand {
  readonly kind: "register-node";
  readonly nodeId: NodeId;
  /** Empty until the node has learned it. */
  readonly clusterId: ClusterId | "";
  readonly directoryId: DirectoryId;
  /** Random, new for each process. */
  readonly incarnationId: string;
  readonly address: string;
  readonly peerAddress: string;
  readonly kafkaListeners: readonly KafkaListener[];
  readonly rack: string;
  readonly version: string;
  /** What is written on it of the settings on which all brokers must agree. */
  readonly settings: Settings;
  /** Epoch under which the directory was closed cleanly; -1 when it was not. */
  readonly cleanShutdownEpoch: number;
  /** The operator says that a new, empty directory takes this node's place. */
  readonly replaceDirectory: boolean;
  /** The present holder of the id is heard from: its session stands. */
  readonly isAlive: boolean;
  /** Metadata offset of this registration: at least the image's. Becomes the broker epoch. */
  readonly brokerEpoch: BrokerEpoch;
}

export interface RegisterNodeResponse {
  readonly kind: "register-node";
  readonly nodeId: NodeId;
  /** That of the first registration by this incarnation. */
  readonly brokerEpoch: BrokerEpoch;
  readonly isFenced: boolean;
}

export function decideRegisterNode(
  image: MetadataImage,
  command: RegisterNodeCommand,
): Decision<RegisterNodeResponse> {
  const holder = image.nodes.get(command.nodeId);
  const refusal =
    clusterRefusal(image, command) ??
    formerRefusal(command, holder) ??
    directoryRefusal(image, command, holder);
  if (refusal !== undefined) return refusal;
  if (holder?.incarnationId === command.incarnationId) return registeredAgain(holder, command);
  if (command.brokerEpoch < image.offset || command.brokerEpoch <= (holder?.brokerEpoch ?? -1)) {
    return refuse(
      "INVALID_REQUEST",
      `broker epoch ${command.brokerEpoch} lies before the metadata offset ${image.offset}`,
    );
  }
  const cleanShutdown =
    holder !== undefined &&
    holder.directoryId === command.directoryId &&
    command.cleanShutdownEpoch === holder.brokerEpoch;
  const records: MetadataRecord[] =
    holder === undefined ? [] : departuresOf(image, holder, { command, cleanShutdown });
  records.push({
    type: "node-registered",
    version: 1,
    node: {
      id: command.nodeId,
      directoryId: command.directoryId,
      incarnationId: command.incarnationId,
      formerIncarnations: formerIncarnations(holder),
      brokerEpoch: command.brokerEpoch,
      ...addressesOf(command),
      isFenced: true,
      isStopping: false,
      cleanShutdown,
    },
  });
  records.push(...settingsRecords(image, records, command));
  return accept(
    {
      kind: "register-node",
      nodeId: command.nodeId,
      brokerEpoch: command.brokerEpoch,
      isFenced: true,
    },
    records,
  );
}

/** What the node's settings change, after the records of its registration. */
function settingsRecords(
  image: MetadataImage,
  registration: readonly MetadataRecord[],
  command: RegisterNodeCommand,
): MetadataRecord[] {
  const registered = replay(image, registration, image.offset).image;
  const records = writtenRecords(registered, command.nodeId, command.settings);
  return [...records, ...stepsAfter(registered, records)];
}

function clusterRefusal(image: MetadataImage, command: RegisterNodeCommand): Refused | undefined {
  if (image.clusterId === undefined) {
    return refuse("NOT_CONTROLLER", "this cluster has no identity yet; try again");
  }
  if (command.clusterId !== "" && command.clusterId !== image.clusterId) {
    return refuse(
      "INCONSISTENT_CLUSTER_ID",
      `node ${command.nodeId} belongs to cluster ${command.clusterId}, ` +
        `but this is cluster ${image.clusterId}; check the node's addresses or its directory`,
    );
  }
  return undefined;
}

/**
 * A process that was cut off while its successor registered, or its registration that was on the
 * way so long. Admitted as if it were new, it would throw the running one out.
 */
function formerRefusal(
  command: RegisterNodeCommand,
  holder: NodeRegistration | undefined,
): Refused | undefined {
  if (holder?.formerIncarnations.includes(command.incarnationId) !== true) return undefined;
  return refuse(
    "STALE_BROKER_EPOCH",
    `a newer process of node ${holder.id} has registered from ${holder.peerAddress}; ` +
      "this one must end",
  );
}

function formerIncarnations(holder: NodeRegistration | undefined): readonly string[] {
  if (holder === undefined) return [];
  return [holder.incarnationId, ...holder.formerIncarnations].slice(0, FORMER_INCARNATIONS_MAX);
}

function directoryRefusal(
  image: MetadataImage,
  command: RegisterNodeCommand,
  holder: NodeRegistration | undefined,
): Refused | undefined {
  for (const node of image.nodes.values()) {
    if (node.directoryId === command.directoryId && node.id !== command.nodeId) {
      return refuse(
        "INVALID_REGISTRATION",
        `directory ${command.directoryId} belongs to node ${node.id}; start node ` +
          `${command.nodeId} with a directory of its own, not with a copy`,
      );
    }
  }
  if (holder === undefined || holder.directoryId === command.directoryId) return undefined;
  if (command.isAlive) {
    return refuse(
      "DUPLICATE_BROKER_REGISTRATION",
      `node ${command.nodeId} is running at ${holder.peerAddress}; give this one another id`,
    );
  }
  if (command.replaceDirectory && holder.incarnationId !== command.incarnationId) return undefined;
  return refuse(
    "INVALID_REGISTRATION",
    `node ${command.nodeId} was registered with directory ${holder.directoryId}, but now has ` +
      `${command.directoryId}: give it its old directory back, or, if that is lost, start it ` +
      "with --replace-directory, and it will copy its partitions from the other replicas",
  );
}

/** A session opened again: nothing happens to the incarnation, but it may have moved. */
function registeredAgain(
  holder: NodeRegistration,
  command: RegisterNodeCommand,
): Decision<RegisterNodeResponse> {
  const node = { ...holder, ...addressesOf(command) };
  const isSame =
    node.address === holder.address &&
    node.peerAddress === holder.peerAddress &&
    sameKafkaListeners(node.kafkaListeners, holder.kafkaListeners) &&
    node.rack === holder.rack &&
    node.version === holder.version;
  return accept(
    {
      kind: "register-node",
      nodeId: holder.id,
      brokerEpoch: holder.brokerEpoch,
      isFenced: holder.isFenced,
    },
    isSame ? [] : [{ type: "node-registered", version: 1, node }],
  );
}

function departuresOf(
  image: MetadataImage,
  holder: NodeRegistration,
  start: { readonly command: RegisterNodeCommand; readonly cleanShutdown: boolean },
): MetadataRecord[] {
  const isSameDirectory = holder.directoryId === start.command.directoryId;
  return departureRecords(image, holder.id, (topic: Topic): LogTrust => {
    if (!isSameDirectory) return "lost";
    // With durability=fsync an acknowledgement means that the disk has the record, so even a
    // power cut leaves all of them. Without it, only a clean stop does.
    if (start.cleanShutdown) return "whole";
    return topicConfigValue(image, topic.name, "durability") === "fsync" ? "whole" : "lost";
  });
}

function addressesOf(
  command: RegisterNodeCommand,
): Pick<NodeRegistration, "address" | "peerAddress" | "kafkaListeners" | "rack" | "version"> {
  return {
    address: command.address,
    peerAddress: command.peerAddress,
    kafkaListeners: command.kafkaListeners,
    rack: command.rack,
    version: command.version,
  };
}

export function decodeRegisterNode(json: JsonObject): RegisterNodeCommand {
  return {
    kind: "register-node",
    nodeId: json.nodeId("nodeId"),
    clusterId: json.value("clusterId") === "" ? "" : (json.uuid("clusterId") as ClusterId),
    directoryId: json.directoryId("directoryId"),
    incarnationId: json.text("incarnationId"),
    address: json.text("address"),
    peerAddress: json.text("peerAddress"),
    kafkaListeners: decodeKafkaListeners(json),
    rack: json.text("rack"),
    version: json.text("version"),
    settings: json.has("settings") ? json.texts("settings") : {},
    cleanShutdownEpoch: json.brokerEpoch("cleanShutdownEpoch"),
    replaceDirectory: json.boolean("replaceDirectory"),
    isAlive: json.boolean("isAlive"),
    brokerEpoch: json.brokerEpoch("brokerEpoch"),
  };
}
