/** Everything about groups in one broker, put together: their topic, their shards, their service. */
import { type GroupCommand, type GroupResponse, GroupShard } from "@strandline/coordination";
import type { BrokerSettings, MetadataDelta } from "@strandline/metadata";
import { GROUPS_TOPIC } from "@strandline/model";
import { type RpcRoute, unaryRoute } from "@strandline/platform";
import { coordinationMethods } from "@strandline/rpc";
import type { ControllerSession } from "../cluster/controller-session.js";
import type { Partition } from "../partition/partition.js";
import type { Partitions } from "../partition/partitions.js";
import type { BrokerPorts } from "../ports.js";
import type { Directory } from "../services/directory.js";
import { groupConfig, offsetsTopicConfig } from "../services/group-settings.js";
import { GroupService } from "../services/groups.js";
import { OffsetsTopic } from "../services/offsets-topic.js";
import { Coordinators } from "./coordinators.js";

export interface GroupCoordinationParts {
  readonly settings: BrokerSettings;
  readonly directory: Directory;
  readonly partitions: Partitions;
  readonly session: ControllerSession;
  voters(): readonly number[];
  untilMetadata(offset: number, timeoutMs: number): Promise<void>;
}

export class GroupCoordination {
  readonly service: GroupService;
  readonly #coordinators: Coordinators<GroupCommand, GroupResponse>;

  constructor(ports: BrokerPorts, parts: GroupCoordinationParts) {
    const { settings, directory } = parts;
    const config = groupConfig(settings);
    this.#coordinators = new Coordinators<GroupCommand, GroupResponse>(ports, {
      topic: GROUPS_TOPIC,
      partitions: parts.partitions,
      image: () => directory.image,
      newShard: () => new GroupShard(config),
    });
    const topic = new OffsetsTopic(ports, {
      ...offsetsTopicConfig(settings),
      session: parts.session,
      image: () => directory.image,
      voters: () => parts.voters(),
      untilMetadata: async (offset, timeoutMs) => await parts.untilMetadata(offset, timeoutMs),
    });
    this.service = new GroupService(ports, { directory, topic, coordinators: this.#coordinators });
  }

  /** For the other brokers. */
  get routes(): readonly RpcRoute[] {
    return [
      unaryRoute(coordinationMethods.group, async ({ command }, _peer, signal) => ({
        response: await this.service.passedOn(command as Uint8Array, signal),
      })),
    ];
  }

  /** A leadership of this broker has begun. */
  led(partition: Partition): void {
    this.#coordinators.led(partition);
  }

  /** The metadata has changed. */
  apply(delta: MetadataDelta): void {
    const deleted = delta.topics.filter(({ after }) => after === undefined);
    if (deleted.length === 0) return;
    // Never rejects.
    void this.service.topicsDeleted(deleted.map(({ name }) => name));
  }

  close(): void {
    this.#coordinators.close();
  }
}
