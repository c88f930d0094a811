/** Describes settings: of a topic, of all brokers, of one broker, which may be another one. */
import {
  type BrokerSettings,
  brokerConfigEntries,
  clusterConfigEntries,
  topicConfigEntries,
} from "@strandline/metadata";
import { BrokerError, type NodeId } from "@strandline/model";
import type { Transport } from "@strandline/platform";
import { adminMethods, type ConfigResource, type DescribeConfigsResponse } from "@strandline/rpc";
import type { Directory } from "./directory.js";

const FORWARD_TIMEOUT_MS = 5_000;
/** Stands for the id of the broker that answers. */
const SELF = "self";

export interface DescribedBroker {
  readonly directory: Directory;
  readonly nodeId: NodeId;
  readonly settings: BrokerSettings;
}

export class ConfigDescriptions {
  readonly #transport: Transport;
  readonly #parts: DescribedBroker;

  constructor(transport: Transport, parts: DescribedBroker) {
    this.#transport = transport;
    this.#parts = parts;
  }

  /** Throws BrokerError for what does not exist, and BROKER_NOT_AVAILABLE for one that is down. */
  async describe(resource: ConfigResource): Promise<DescribeConfigsResponse> {
    const { directory, nodeId, settings } = this.#parts;
    const { image } = directory;
    if (resource.type === "TYPE_TOPIC") {
      directory.topic(resource.name);
      return { entries: topicConfigEntries(image, resource.name, nodeId) };
    }
    if (resource.name === "") return { entries: clusterConfigEntries(image) };
    if (resource.name === SELF || resource.name === String(nodeId)) {
      return { entries: brokerConfigEntries(image, nodeId, settings.written) };
    }
    return await this.#ask(resource.name);
  }

  /** What is written on a broker, that one alone knows. */
  async #ask(id: string): Promise<DescribeConfigsResponse> {
    const node = this.#parts.directory.image.nodes.get(Number(id) as NodeId);
    if (!/^\d{1,10}$/.test(id) || node === undefined) {
      throw new BrokerError("INVALID_REQUEST", `there is no broker ${id}`);
    }
    return await this.#transport.call(
      node.peerAddress,
      adminMethods.describeConfigs,
      { resource: { type: "TYPE_BROKER", name: SELF } },
      { timeoutMs: FORWARD_TIMEOUT_MS },
    );
  }
}
