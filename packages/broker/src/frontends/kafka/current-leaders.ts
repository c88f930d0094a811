/**
 * What a client that asked the wrong broker is told: who leads, and where that is. With it the
 * client goes on at once, without asking for metadata first.
 */
import type { MetadataImage, Partition as PartitionImage } from "@strandline/metadata";
import type { NodeId } from "@strandline/model";
import type { KafkaListenerView } from "./handler.js";

export interface CurrentLeader {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface NodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** Collected over one response: each leader's address once. */
export class CurrentLeaders {
  readonly #image: MetadataImage;
  readonly #listener: KafkaListenerView;
  readonly #endpoints = new Map<number, NodeEndpoint>();

  constructor(image: MetadataImage, listener: KafkaListenerView) {
    this.#image = image;
    this.#listener = listener;
  }

  /** Who leads; undefined when nobody does, or nowhere that this client can go. */
  of(state: PartitionImage | undefined): CurrentLeader | undefined {
    if (state === undefined || state.leader === -1) return undefined;
    if (!this.#endpoints.has(state.leader)) {
      const endpoint = this.#endpointOf(state.leader);
      if (endpoint === undefined) return undefined;
      this.#endpoints.set(state.leader, endpoint);
    }
    return { leaderId: state.leader, leaderEpoch: state.leaderEpoch };
  }

  get endpoints(): NodeEndpoint[] {
    return [...this.#endpoints.values()];
  }

  #endpointOf(id: NodeId): NodeEndpoint | undefined {
    const address = this.#listener.endpointOf(id);
    if (address === undefined) return undefined;
    const rack = this.#image.nodes.get(id)?.rack ?? "";
    return { nodeId: id, ...address, rack: rack === "" ? null : rack };
  }
}
