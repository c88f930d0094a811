/**
 * The topic in which groups and their offsets are kept. Made when a group is first looked for, by
 * whichever broker is asked; when several are, one command wins and the others find the topic.
 */
import { type MetadataImage, topicByName } from "@strandline/metadata";
import { BrokerError, GROUPS_TOPIC, type TopicId, uuidText } from "@strandline/model";
import type { Clock, Logger, Random } from "@strandline/platform";
import type { ControllerSession } from "../cluster/controller-session.js";

const COMMAND_TIMEOUT_MS = 15_000;
const APPLIED_TIMEOUT_MS = 5_000;
/** Brokers of a cluster that starts register one after the other: replicas wait so long for them. */
const BROKERS_MS_MAX = 20_000;

export interface OffsetsTopicParts {
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly segmentBytes: number;
  readonly session: ControllerSession;
  image(): MetadataImage;
  voters(): readonly number[];
  untilMetadata(offset: number, timeoutMs: number): Promise<void>;
}

export class OffsetsTopic {
  readonly #ports: { clock: Clock; random: Random; logger: Logger };
  readonly #parts: OffsetsTopicParts;
  #creation: Promise<void> | undefined;
  #firstAskedAtMs: number | undefined;

  constructor(ports: { clock: Clock; random: Random; logger: Logger }, parts: OffsetsTopicParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** Undefined while the topic does not exist. */
  get partitionCount(): number | undefined {
    return topicByName(this.#parts.image(), GROUPS_TOPIC)?.partitions.length;
  }

  /** Has it made, unless it is there or on its way. The answer is in the metadata, later. */
  createSoon(): void {
    this.create().catch((error: unknown) => {
      this.#ports.logger.warn(
        { topic: GROUPS_TOPIC, error: String(error) },
        "the topic of groups could not be created yet",
      );
    });
  }

  /** Resolves once this broker knows the topic. Throws why it could not be made. */
  async create(): Promise<void> {
    if (this.partitionCount !== undefined) return;
    this.#creation ??= this.#create().finally(() => {
      this.#creation = undefined;
    });
    await this.#creation;
  }

  async #create(): Promise<void> {
    const { session, partitionCount, segmentBytes } = this.#parts;
    const replicationFactor = this.#replicationFactor();
    try {
      const { metadataOffset } = await session.submit(
        {
          kind: "create-topic",
          name: GROUPS_TOPIC,
          newTopicId: uuidText(this.#ports.random.bytes(16)) as TopicId,
          partitions: partitionCount,
          replicationFactor,
          configs: {
            "cleanup.policy": "compact",
            "compression.type": "producer",
            "segment.bytes": String(segmentBytes),
          },
          validateOnly: false,
          // Whoever lowered min.insync.replicas for the whole cluster has said so already.
          allowWeakDurability: true,
          seed: this.#ports.random.below(2 ** 31),
        },
        COMMAND_TIMEOUT_MS,
      );
      await this.#parts.untilMetadata(metadataOffset, APPLIED_TIMEOUT_MS);
    } catch (error) {
      const isThere = error instanceof BrokerError && error.code === "TOPIC_ALREADY_EXISTS";
      if (!isThere) throw error;
    }
  }

  /** As asked for, as far as there are brokers. Throws while more of them are still expected. */
  #replicationFactor(): number {
    const { replicationFactor } = this.#parts;
    const registered = this.#parts.image().nodes.size;
    // A node that votes is most often a broker as well. One that never is delays this once.
    const expected = Math.min(replicationFactor, this.#parts.voters().length);
    if (registered < expected) {
      const nowMs = this.#ports.clock.monotonicMs();
      this.#firstAskedAtMs ??= nowMs;
      if (nowMs - this.#firstAskedAtMs < BROKERS_MS_MAX) {
        throw new BrokerError(
          "COORDINATOR_NOT_AVAILABLE",
          `${registered} of ${expected} brokers have registered; its replicas wait for the others`,
        );
      }
    }
    return Math.max(1, Math.min(replicationFactor, registered));
  }
}
