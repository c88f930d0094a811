/**
 * A broker: keeps partition replicas and serves clients. Wires its parts together, and holds what
 * belongs to the process as a whole: registration, time, retention, stopping.
 */
import type { KafkaListener, MetadataImage } from "@strandline/metadata";
import { type BrokerEpoch, BrokerError, type NodeId } from "@strandline/model";
import { type RpcRoute, streamRoute, type Timer, unaryRoute } from "@strandline/platform";
import { replicationMethods } from "@strandline/rpc";
import type { BrokerConfig } from "./broker-config.js";
import { ControllerSession } from "./cluster/controller-session.js";
import { MetadataFollower } from "./cluster/metadata-follower.js";
import { OutvotedWarnings } from "./cluster/outvoted-warnings.js";
import { GroupCoordination } from "./coordinator/group-coordination.js";
import { adminRoutes } from "./frontends/grpc/admin-routes.js";
import { groupRoutes } from "./frontends/grpc/group-routes.js";
import { logRoutes } from "./frontends/grpc/log-routes.js";
import { kafkaHandlers } from "./frontends/kafka/handlers.js";
import { KafkaFrontend } from "./frontends/kafka/kafka-frontend.js";
import { kafkaProduce } from "./frontends/kafka/produce.js";
import { GroupMember } from "./group-member/group-member.js";
import { proposeIsr } from "./partition/isr-proposals.js";
import { LogCleaner } from "./partition/log-cleaner.js";
import { Partitions } from "./partition/partitions.js";
import { readRange } from "./partition/read-range.js";
import { ReplicaFeeder } from "./partition/replica-feeder.js";
import type { BrokerPorts } from "./ports.js";
import { AdminService } from "./services/admin.js";
import { ConfigDescriptions } from "./services/config-descriptions.js";
import { ConsumeService } from "./services/consume.js";
import { Directory } from "./services/directory.js";
import { FetchService } from "./services/fetch.js";
import { FetchManyService } from "./services/fetch-many.js";
import { FetchSessions } from "./services/fetch-sessions.js";
import { GroupAdmin } from "./services/group-admin.js";
import type { GroupService } from "./services/groups.js";
import { LeadingService } from "./services/leading.js";
import { LogDirs } from "./services/log-dirs.js";
import { OffsetsService } from "./services/offsets.js";
import { ProduceService } from "./services/produce.js";
import { ProduceForwarder } from "./services/produce-forwarder.js";
import { ProducerIds } from "./services/producer-ids.js";
import { RecordReader } from "./services/record-reader.js";

const TICK_MS = 50;
const HAND_OVER_MS_MAX = 10_000;
const PRODUCERS_PER_PARTITION_MAX = 100_000;
/** Kafka's slots and time; what all sessions together remember is some tens of megabytes. */
const FETCH_SESSIONS = { sessionsMax: 1_000, partitionsMax: 250_000, idleMs: 120_000 };

/** What the process is told. */
export interface BrokerCallbacks {
  /** The broker cannot go on: refused by the cluster, or its disk failed. Called once. */
  onFatal(error: Error): void;
  /** Registered under this epoch: what a clean shutdown will be recorded with. */
  onRegistered(epoch: BrokerEpoch): void;
  /** The cluster's id is known. */
  onCluster(clusterId: string): void;
}

export class Broker {
  readonly #ports: BrokerPorts;
  readonly #config: BrokerConfig;
  readonly #callbacks: BrokerCallbacks;
  readonly #metadata: MetadataFollower;
  readonly #session: ControllerSession;
  readonly #partitions: Partitions;
  readonly #cleaner: LogCleaner;
  readonly #forwarder: ProduceForwarder;
  readonly #directory: Directory;
  readonly #leading: LeadingService;
  readonly #groups: GroupCoordination;
  readonly #routes: readonly RpcRoute[];
  readonly #admin: AdminService;
  readonly #offsets: OffsetsService;
  readonly #produce: ProduceService;
  readonly #producerIds: ProducerIds;
  readonly #kafka: KafkaFrontend;
  readonly #metadataWaiters = new Set<() => void>();
  #appliedOffset = -1;
  #kafkaListeners: readonly KafkaListener[] = [];
  #controllerAddress: string | undefined;
  #tick: Timer | undefined;
  #retentionAtMs = 0;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(ports: BrokerPorts, config: BrokerConfig, callbacks: BrokerCallbacks) {
    this.#ports = ports;
    this.#config = config;
    this.#callbacks = callbacks;
    const outvoted = new OutvotedWarnings(ports.logger, config.nodeId);
    this.#metadata = new MetadataFollower(ports, config, {
      onMetadata: (image, delta) => {
        if (delta.configs.length > 0) outvoted.look(image);
        if (image.clusterId !== undefined) callbacks.onCluster(image.clusterId);
        this.#partitions.apply(image, delta);
        this.#groups.apply(delta);
        for (const waiter of [...this.#metadataWaiters]) waiter();
      },
      onController: () => this.#controllerChanged(),
      onFatal: (error) => this.#fatal(error),
    });
    this.#session = new ControllerSession(ports, config, {
      controllerAddress: () => this.#metadata.controllerAddress,
      clusterId: () => this.#metadata.image.clusterId ?? config.clusterId,
      appliedOffset: () => this.#appliedOffset,
      isFailed: () => this.#failure !== undefined,
      kafkaListeners: () => this.#kafkaListeners,
      onRegistered: (epoch) => {
        callbacks.onRegistered(epoch);
        this.#partitions.registered();
      },
      onRefused: (error) => this.#fatal(error),
    });
    this.#partitions = new Partitions(ports, config, {
      brokerEpoch: () => this.#session.brokerEpoch,
      isServing: () => this.#session.isLive && this.#failure === undefined,
      proposeIsr: (partition, proposal) => {
        proposeIsr(this.#session, config.nodeId, partition, proposal);
      },
      onLogFailed: (error) => this.#fatal(error),
      onLeads: (partition) => this.#groups.led(partition),
      onApplied: (offset) => {
        if (offset === this.#appliedOffset) return;
        this.#appliedOffset = offset;
        if (this.#session.isFenced) this.#session.beatSoon();
      },
    });
    this.#cleaner = new LogCleaner(ports, {
      partitions: () => this.#partitions.all(),
      checkMs: config.cleanerCheckMs,
    });
    this.#forwarder = new ProduceForwarder(ports);
    this.#directory = new Directory(config.nodeId, () => this.#metadata.image, this.#partitions);
    this.#leading = new LeadingService(ports, {
      directory: this.#directory,
      partitions: this.#partitions,
      untilMetadata: async (offset, timeoutMs) => await this.untilMetadata(offset, timeoutMs),
    });
    this.#groups = new GroupCoordination(ports, {
      settings: config.settings,
      directory: this.#directory,
      partitions: this.#partitions,
      session: this.#session,
      voters: () => this.#metadata.voters,
      untilMetadata: async (offset, timeoutMs) => await this.untilMetadata(offset, timeoutMs),
    });
    this.#offsets = new OffsetsService(ports, { directory: this.#directory });
    this.#produce = new ProduceService(ports, {
      directory: this.#directory,
      forwarder: this.#forwarder,
      pendingBytesMax: config.pendingProduceBytesMax,
    });
    this.#producerIds = new ProducerIds(this.#session, config.nodeId);
    this.#admin = this.#buildAdmin();
    this.#routes = this.#buildRoutes();
    this.#kafka = this.#buildKafka();
  }

  /** For the listener that clients reach. */
  get clientRoutes(): readonly RpcRoute[] {
    return this.#routes;
  }

  /** For the listener that nodes reach: the same, for requests passed on, and replication. */
  get peerRoutes(): readonly RpcRoute[] {
    return [
      ...this.#routes,
      streamRoute(
        replicationMethods.replicate,
        (stream) =>
          new ReplicaFeeder(stream, {
            partition: (topic, partition) => this.#partitions.get(topic as never, partition),
            admit: (id, epoch, cluster) => this.#admitFollower(id, epoch, cluster),
            replicaWindowBytesMax: this.#config.replicaWindowBytesMax,
          }),
      ),
      unaryRoute(replicationMethods.readRange, async (request) => {
        return await readRange(
          this.#partitions.get(request.topicId as never, request.partition),
          request,
        );
      }),
      unaryRoute(
        replicationMethods.awaitLeading,
        async (request) => await this.#leading.own(request),
      ),
      ...this.#groups.routes,
    ];
  }

  /** For the listeners of the Kafka protocol. */
  get kafka(): KafkaFrontend {
    return this.#kafka;
  }

  get groups(): GroupService {
    return this.#groups.service;
  }

  get image(): MetadataImage {
    return this.#metadata.image;
  }

  get partitions(): Partitions {
    return this.#partitions;
  }

  get brokerEpoch(): BrokerEpoch | undefined {
    return this.#session.brokerEpoch;
  }

  /**
   * True once the cluster has admitted this broker and its logs are recovered. Its own image says so
   * too: what it tells of the cluster names this broker.
   */
  get isReady(): boolean {
    const isAdmitted = this.#session.isLive && !this.#session.isFenced;
    return (
      isAdmitted &&
      this.#failure === undefined &&
      this.image.nodes.get(this.#config.nodeId)?.isFenced === false
    );
  }

  /** Joins the cluster. Clients of the Kafka protocol are told of these listeners. */
  start(kafkaListeners: readonly KafkaListener[] = []): void {
    this.#kafkaListeners = kafkaListeners;
    this.#metadata.start();
    this.#session.start();
    this.#tick = this.#ports.timers.after(TICK_MS, () => this.#onTick());
    this.#retentionAtMs = this.#ports.clock.monotonicMs() + this.#config.retentionCheckMs;
  }

  /**
   * Stops. With `handOver`, leaderships move to other brokers first, so that clients hardly notice.
   * Afterwards every log is synced and closed.
   */
  async close(options: { readonly handOver: boolean }): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (options.handOver && this.#failure === undefined && this.#session.isLive) {
      await this.#session.handOver(HAND_OVER_MS_MAX);
    }
    this.#tick?.cancel();
    this.#kafka.close();
    this.#groups.close();
    this.#forwarder.close();
    this.#cleaner.close();
    await this.#partitions.close();
    this.#session.close();
    this.#metadata.close();
  }

  /** Resolves when the image has reached `offset`, or after `timeoutMs`. */
  async untilMetadata(offset: number, timeoutMs: number): Promise<void> {
    if (this.#metadata.image.offset >= offset) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (this.#metadata.image.offset < offset) return;
        done();
      };
      const done = (): void => {
        timer.cancel();
        this.#metadataWaiters.delete(check);
        resolve();
      };
      const timer = this.#ports.timers.after(timeoutMs, done);
      this.#metadataWaiters.add(check);
    });
  }

  #buildAdmin(): AdminService {
    return new AdminService(this.#ports, {
      directory: this.#directory,
      session: this.#session,
      offsets: this.#offsets,
      leading: this.#leading,
      configs: new ConfigDescriptions(this.#ports.transport, {
        directory: this.#directory,
        nodeId: this.#config.nodeId,
        settings: this.#config.settings,
      }),
      deletesTopics: this.#config.settings.isOn("delete.topic.enable"),
      untilMetadata: async (offset, timeoutMs) => await this.untilMetadata(offset, timeoutMs),
      controllerId: () => this.#metadata.controllerId,
      voters: () => this.#metadata.voters,
    });
  }

  #buildKafka(): KafkaFrontend {
    const { nodeId, peerAddress, settings, autoCreateTopics } = this.#config;
    const image = (): MetadataImage => this.#metadata.image;
    const ports = this.#ports;
    const directory = this.#directory;
    const handlers = kafkaHandlers({
      groups: this.#groups.service,
      settings,
      clock: ports.clock,
      directory,
      admin: this.#admin,
      offsets: this.#offsets,
      producerIds: this.#producerIds,
      fetchMany: new FetchManyService(ports, { directory }),
      fetchSessions: new FetchSessions({
        ...FETCH_SESSIONS,
        newId: () => 1 + ports.random.below(2 ** 31 - 1),
      }),
      administration: {
        nodeId,
        directory,
        admin: this.#admin,
        written: this.#config.settings.written,
        controllerId: () => this.#metadata.controllerId,
        logDirs: new LogDirs(ports, {
          topicsDirectory: this.#config.topicsDirectory,
          partitions: this.#partitions,
          image,
        }),
      },
      metadata: {
        nodeId,
        image,
        autoCreateTopics,
        controllerId: () => this.#metadata.controllerId,
        createTopic: async (name) => await this.#createTopic(name),
      },
    });
    return new KafkaFrontend(ports, {
      nodeId,
      peerAddress,
      settings,
      handlers,
      produce: kafkaProduce({ directory, produce: this.#produce }),
      image,
      isReady: () => this.isReady,
    });
  }

  /** With the defaults of the cluster, for who named a topic that does not exist. */
  async #createTopic(name: string): Promise<void> {
    try {
      await this.#admin.createTopic({
        name,
        partitions: -1,
        replicationFactor: -1,
        assignments: [],
        configs: new Map(),
        validateOnly: false,
        allowWeakDurability: false,
      });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.#ports.logger.info({ topic: name, error: error.message }, "topic not created");
    }
  }

  #buildRoutes(): RpcRoute[] {
    const ports = this.#ports;
    const directory = this.#directory;
    const reader = new RecordReader(ports);
    const offsets = this.#offsets;
    const groups = this.#groups.service;
    const consume = new ConsumeService(ports, { directory, offsets, reader });
    return [
      ...logRoutes({
        produce: this.#produce,
        fetch: new FetchService(ports, { directory, reader }),
        consume,
        offsets,
        producerIds: this.#producerIds,
      }),
      ...adminRoutes(this.#admin),
      ...groupRoutes(
        new GroupAdmin(groups),
        (options) => new GroupMember(ports, { groups, consume, directory }, options),
      ),
    ];
  }

  /** Only a broker of this cluster, in the incarnation that the metadata knows, may replicate. */
  #admitFollower(id: number, epoch: number, cluster: string): void {
    const { image } = this.#metadata;
    if (cluster !== image.clusterId) {
      throw new BrokerError("INCONSISTENT_CLUSTER_ID", `this broker belongs to ${image.clusterId}`);
    }
    const known = image.nodes.get(id as NodeId);
    if (known === undefined || known.brokerEpoch < epoch) {
      // The follower is ahead of this broker's metadata: it will ask again.
      throw new BrokerError(
        "BROKER_NOT_AVAILABLE",
        `broker ${id} is not known in epoch ${epoch} yet`,
      );
    }
    if (known.brokerEpoch > epoch) {
      throw new BrokerError("STALE_BROKER_EPOCH", `broker ${id} has registered again since`);
    }
  }

  #controllerChanged(): void {
    const address = this.#metadata.controllerAddress;
    if (address === this.#controllerAddress) return;
    this.#controllerAddress = address;
    this.#session.controllerMoved();
  }

  #onTick(): void {
    this.#tick = this.#ports.timers.after(TICK_MS, () => this.#onTick());
    this.#partitions.tick();
    this.#cleaner.tick();
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs < this.#retentionAtMs) return;
    this.#retentionAtMs = nowMs + this.#config.retentionCheckMs;
    void this.#retain();
  }

  async #retain(): Promise<void> {
    for (const partition of [...this.#partitions.all()]) {
      try {
        await partition.transition(partition.leaderEpoch, async () => {
          await partition.log.applyRetention(partition.highWatermark);
          partition.log.producers.expire(
            // A wall clock that is set forward would make every producer idle at once.
            this.#ports.clock.monotonicMs(),
            this.#config.producerIdleMsMax,
            PRODUCERS_PER_PARTITION_MAX,
          );
        });
      } catch (error) {
        this.#ports.logger.error(
          { partition: partition.key, error: String(error) },
          "retention failed; tried again later",
        );
      }
    }
  }

  #fatal(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#session.beatSoon();
    this.#callbacks.onFatal(error);
  }
}
