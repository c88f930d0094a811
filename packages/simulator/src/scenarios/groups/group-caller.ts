/**
 * A client's way to the coordinator of a group: asks the brokers in turn until one coordinates, and
 * stays with that one. Speaks what brokers say to each other, because it is the same service behind
 * every door.
 */
import { decodeJsonBytes, encodeJsonBytes } from "@strandline/broker";
import { type GroupCommand, type GroupResponse, groupPartition } from "@strandline/coordination";
import { BrokerError } from "@strandline/model";
import { coordinationMethods } from "@strandline/rpc";
import type { NodePorts } from "../../node-ports.js";
import { nodeName, PEER_PORT } from "../cluster/cluster-node.js";

const ANSWER_MS_MAX = 3_000;
/** A join waits for the others. */
const JOIN_MS_MAX = 15_000;

export interface GroupCallerOptions {
  readonly groupId: string;
  readonly nodes: readonly number[];
  /** Of the topic of groups. */
  readonly partitionCount: number;
}

export class GroupCaller {
  readonly #ports: NodePorts;
  readonly #options: GroupCallerOptions;
  readonly #partition: number;
  #turn: number;

  constructor(ports: NodePorts, options: GroupCallerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#partition = groupPartition(options.groupId, options.partitionCount);
    this.#turn = ports.random.below(options.nodes.length);
  }

  /** One attempt. Throws the refusal, or the TransportError after which nobody knows. */
  async call<Kind extends GroupCommand["kind"]>(
    command: Extract<GroupCommand, { kind: Kind }>,
  ): Promise<Extract<GroupResponse, { kind: Kind }>> {
    const { nodes } = this.#options;
    const id = nodes[this.#turn % nodes.length] as number;
    const isLong = command.kind === "join" || command.kind === "sync";
    try {
      const { response } = await this.#ports.transport.call(
        `${nodeName(id)}:${PEER_PORT}`,
        coordinationMethods.group,
        { command: encodeJsonBytes({ partition: this.#partition, command }) },
        { timeoutMs: isLong ? JOIN_MS_MAX : ANSWER_MS_MAX },
      );
      return decodeJsonBytes(response as Uint8Array) as Extract<GroupResponse, { kind: Kind }>;
    } catch (error) {
      const isLoading =
        error instanceof BrokerError && error.code === "COORDINATOR_LOAD_IN_PROGRESS";
      if (!isLoading) this.#turn += 1;
      throw error;
    }
  }
}
