/** One node of the cluster scenario: the production controller and broker on simulated ports. */
import { BROKER_DEFAULTS, Broker } from "@strandline/broker";
import { Controller, type ControllerProbe } from "@strandline/controller";
import type { BrokerSettings, MetadataImage } from "@strandline/metadata";
import { type ClusterId, type NodeId, nodeId, uuidText } from "@strandline/model";
import type { KeyValueStore, Listener } from "@strandline/platform";
import { batchBytes, decodeBatch, leaderEpoch, nextOffset } from "@strandline/record";
import { DataDirectory } from "@strandline/storage";
import type { App, NodePorts } from "../../node-ports.js";
import type { ObservedRecord } from "../../observation.js";
import { payloadOf } from "./keyed-payload.js";

export const PEER_PORT = 51051;
export const CLIENT_PORT = 50051;
export const RAFT_GROUP = "metadata";

export interface ClusterNodeOptions {
  readonly id: number;
  readonly voters: readonly number[];
  /** What the operator wrote, under Kafka's names. */
  readonly settings?: BrokerSettings;
  /** A planted mistake; undefined in every honest run. */
  readonly sabotage: Sabotage | undefined;
  /** A leader calls everything below committed. */
  onCommitted(node: ClusterNode, partition: string, highWatermark: number): void;
}

/** Where a mutant may reach in, without a hook in the production code. */
export interface Sabotage {
  readonly raftStore?: (store: KeyValueStore) => KeyValueStore;
  readonly ports?: (ports: NodePorts) => NodePorts;
  readonly becameLeader?: (broker: Broker, partition: string) => void;
}

export function nodeName(id: number): string {
  return `node-${id}`;
}

export class ClusterNode implements App {
  readonly #id: NodeId;
  readonly #directory: DataDirectory;
  readonly #controller: Controller;
  readonly #broker: Broker;
  #listeners: readonly Listener[] = [];

  private constructor(parts: {
    id: NodeId;
    directory: DataDirectory;
    controller: Controller;
    broker: Broker;
  }) {
    this.#id = parts.id;
    this.#directory = parts.directory;
    this.#controller = parts.controller;
    this.#broker = parts.broker;
  }

  static async open(given: NodePorts, options: ClusterNodeOptions): Promise<ClusterNode> {
    const ports = options.sabotage?.ports?.(given) ?? given;
    const { host, logger, clock, timers, random, transport, fileSystem } = ports;
    const id = nodeId(options.id);
    const directory = await DataDirectory.open(
      { fileSystem, openStore: ports.openKeyValueStore, random, logger },
      { path: "/data", nodeId: id },
    );
    const voters = options.voters.map((voter) => ({
      id: nodeId(voter),
      address: `${nodeName(voter)}:${PEER_PORT}`,
    }));
    const onFatal = (error: Error): void => ports.exit(error);
    const store = options.sabotage?.raftStore?.(directory.raftStore) ?? directory.raftStore;
    const controller = Controller.open(
      { clock, timers, random, transport, store, logger, probe: raftProbe(ports) },
      {
        nodeId: id,
        directoryId: directory.directoryId,
        clusterId: directory.clusterId,
        voters,
        replaceDirectory: false,
        onFatal,
      },
    );
    let node: ClusterNode | undefined;
    let broker: Broker | undefined;
    broker = new Broker(
      {
        ...{ clock, timers, random, fileSystem, transport, logger },
        checkpoints: directory.checkpoints,
        crc32c: ports.crc32c,
        compressors: ports.compressors,
        buffers: ports.buffers,
        probe: {
          becameLeader: (partition, epoch) => {
            const { generation } = ports;
            ports.observe({ kind: "leader-elected", node: host, generation, partition, epoch });
            if (broker !== undefined) options.sabotage?.becameLeader?.(broker, partition);
          },
          replicaRemoved: (partition) => {
            const { generation } = ports;
            ports.observe({ kind: "replica-removed", node: host, generation, partition });
          },
          highWatermarkMoved: (partition, highWatermark) => {
            const { generation } = ports;
            if (node !== undefined) options.onCommitted(node, partition, highWatermark);
            ports.observe({
              kind: "high-watermark",
              node: host,
              generation,
              partition,
              highWatermark,
            });
          },
        },
      },
      {
        ...BROKER_DEFAULTS,
        ...(options.settings === undefined ? {} : { settings: options.settings }),
        nodeId: id,
        clusterId: directory.clusterId,
        directoryId: directory.directoryId,
        topicsDirectory: directory.topicsPath,
        address: `${host}:${CLIENT_PORT}`,
        peerAddress: `${host}:${PEER_PORT}`,
        controllerAddresses: [...voters]
          .sort((a, b) => Number(b.id === id) - Number(a.id === id))
          .map((voter) => voter.address),
        version: "simulated",
        incarnationId: uuidText(random.bytes(16)),
        cleanShutdownEpoch: directory.cleanShutdownEpoch,
        retentionCheckMs: 5_000,
        cleanerCheckMs: 1_000,
        tailBytesMax: 16 * 1024,
        replicaLagMsMax: 3_000,
      },
      {
        onFatal,
        onRegistered: () => undefined,
        onCluster: (clusterId) => {
          directory.rememberCluster(clusterId as ClusterId).catch((error: unknown) => {
            ports.exit(error instanceof Error ? error : new Error(String(error)));
          });
        },
      },
    );
    node = new ClusterNode({ id, directory, controller, broker });
    node.#listeners = [
      await transport.listen(host, PEER_PORT, [...controller.routes, ...broker.peerRoutes]),
      await ports.newTransport().listen(host, CLIENT_PORT, broker.clientRoutes),
    ];
    controller.start().catch((error: unknown) => {
      ports.exit(error instanceof Error ? error : new Error(String(error)));
    });
    broker.start();
    return node;
  }

  get isReady(): boolean {
    return this.#broker.isReady;
  }

  /** Everything committed in the metadata, as this node knows it. */
  get metadata(): MetadataImage {
    return this.#controller.image;
  }

  get broker(): Broker {
    return this.#broker;
  }

  async close(): Promise<void> {
    await this.#broker.close({ handOver: true });
    const { brokerEpoch } = this.#broker;
    await this.#controller.close();
    await Promise.all(this.#listeners.map(async (listener) => await listener.close()));
    await this.#directory.close(
      brokerEpoch === undefined ? {} : { cleanShutdownEpoch: brokerEpoch },
    );
  }

  /**
   * True when this broker serves, leads what it is to lead, and in its eyes every partition is led
   * with all in sync.
   */
  get isWhole(): boolean {
    if (!this.#broker.isReady) return false;
    for (const topic of this.#broker.image.topics.values()) {
      for (const [at, state] of topic.partitions.entries()) {
        // The last move may have ended in a leadership that is not in force yet.
        const mustLead = state.leader === this.#id;
        if (mustLead && this.#broker.partitions.get(topic.id, at)?.isLeader !== true) return false;
        if (state.leader === -1 || state.isr.length < state.replicas.length) return false;
        // A replica that is leaving would close its log while it is compared.
        if (state.adding.length > 0 || state.removing.length > 0) return false;
      }
    }
    return true;
  }

  /** What every replica on this node holds, record by record. */
  async logs(): Promise<
    {
      readonly partition: string;
      readonly isLeader: boolean;
      readonly logStartOffset: number;
      readonly highWatermark: number;
      readonly records: readonly ObservedRecord[];
    }[]
  > {
    const logs = [];
    for (const partition of this.#broker.partitions.all()) {
      const { log } = partition;
      const records: ObservedRecord[] = [];
      let offset = log.logStartOffset;
      while (offset < log.logEndOffset) {
        const chunks = await log.read(offset, 1024 * 1024, log.logEndOffset);
        if (chunks.length === 0) break;
        for (const chunk of chunks) offset = observe(chunk, offset, records);
      }
      logs.push({
        partition: partition.key,
        isLeader: partition.isLeader,
        logStartOffset: log.logStartOffset,
        highWatermark: partition.highWatermark,
        records,
      });
    }
    return logs;
  }
}

/** Adds the records of one stored chunk; returns the offset after it. */
function observe(chunk: Uint8Array, from: number, into: ObservedRecord[]): number {
  let next = from;
  for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) {
    const epoch = leaderEpoch(chunk, at);
    for (const record of decodeBatch(chunk, at, { outputBytesMax: 0 })) {
      into.push({ offset: record.offset, epoch, payload: payloadOf(record) });
    }
    next = nextOffset(chunk, at);
  }
  return next;
}

function raftProbe(ports: NodePorts): ControllerProbe {
  return {
    becameRaftLeader: (term) => {
      ports.observe({ kind: "raft-leader", node: ports.host, group: RAFT_GROUP, term });
    },
  };
}
