/**
 * Consumer groups from outside: who is in them, how far they have come, and where they are to go
 * on. To be a member of one, there is `StrandlineClient.groupConsumer`.
 */
import { BrokerError } from "@strandline/model";
import {
  errorFromProto,
  groupsMethods,
  type GroupOffsetRefusal as RefusalMessage,
} from "@strandline/rpc";
import type { AdminCallOptions } from "../admin/admin-types.js";
import type { BrokerCaller, CallPolicy } from "../cluster/broker-caller.js";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import { partitionKey } from "../consumer/consume-connection.js";
import type { TopicPartitionName } from "../consumer/consumer-record.js";
import type {
  GroupDescription,
  GroupLag,
  GroupListing,
  GroupMember,
  GroupOffset,
  GroupOffsetRefusal,
} from "./group-types.js";

const READ: CallPolicy = { isRepeatable: true, mayLag: false };
/** Doing it twice is doing it once. */
const REPEATABLE: CallPolicy = READ;
const ONCE: CallPolicy = { isRepeatable: false, mayLag: false };

export class Groups {
  readonly #cluster: ClusterConnection;
  readonly #caller: BrokerCaller;

  constructor(cluster: ClusterConnection) {
    this.#cluster = cluster;
    this.#caller = cluster.caller;
  }

  /** All groups by name, or those in one of the states. */
  async list(
    query: { readonly states?: readonly string[] | undefined } = {},
    options?: AdminCallOptions,
  ): Promise<readonly GroupListing[]> {
    const request = { states: query.states ?? [] };
    return (await this.#caller.call(groupsMethods.listGroups, request, READ, options)).groups;
  }

  /** Throws GROUP_ID_NOT_FOUND. */
  async describe(groupId: string, options?: AdminCallOptions): Promise<GroupDescription> {
    return await this.#caller.call(groupsMethods.describeGroup, { groupId }, READ, options);
  }

  /** How far a group has come: in these partitions, or wherever it has committed. */
  async fetchOffsets(
    groupId: string,
    partitions: readonly TopicPartitionName[] = [],
    options?: AdminCallOptions,
  ): Promise<readonly GroupOffset[]> {
    const request = { groupId, partitions };
    return (await this.#caller.call(groupsMethods.fetchOffsets, request, READ, options)).offsets;
  }

  /**
   * Says where a group without members is to go on. Throws UNKNOWN_MEMBER_ID while it has members.
   * Returns what was refused; the rest is committed.
   */
  async commitOffsets(
    groupId: string,
    offsets: readonly GroupOffset[],
    options?: AdminCallOptions,
  ): Promise<readonly GroupOffsetRefusal[]> {
    const request = {
      groupId,
      offsets: offsets.map(({ metadata = "", ...offset }) => ({ ...offset, metadata })),
    };
    const answer = await this.#caller.call(
      groupsMethods.commitOffsets,
      request,
      REPEATABLE,
      options,
    );
    return answer.refusals.map(refusalOf);
  }

  /** Forgets offsets of partitions that no member reads. Returns what was refused. */
  async deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartitionName[],
    options?: AdminCallOptions,
  ): Promise<readonly GroupOffsetRefusal[]> {
    const request = { groupId, partitions };
    const answer = await this.#caller.call(
      groupsMethods.deleteOffsets,
      request,
      REPEATABLE,
      options,
    );
    return answer.refusals.map(refusalOf);
  }

  /** Throws GROUP_ID_NOT_FOUND and NON_EMPTY_GROUP. */
  async delete(groupId: string, options?: AdminCallOptions): Promise<void> {
    await this.#caller.call(groupsMethods.deleteGroup, { groupId }, ONCE, options);
  }

  /** How far a group is behind, partition by partition: what it has committed or reads now. */
  async lag(group: GroupDescription, options: AdminCallOptions = {}): Promise<readonly GroupLag[]> {
    const committed = await this.fetchOffsets(group.groupId, [], options);
    const places = new Map<string, TopicPartitionName>();
    const readers = new Map<string, GroupMember>();
    const offsets = new Map<string, number>();
    for (const { topic, partition, offset } of committed) {
      places.set(partitionKey(topic, partition), { topic, partition });
      offsets.set(partitionKey(topic, partition), offset);
    }
    for (const member of group.members) {
      for (const { topic, partition } of member.partitions) {
        places.set(partitionKey(topic, partition), { topic, partition });
        readers.set(partitionKey(topic, partition), member);
      }
    }
    const ends = await this.#ends([...places.values()], options);
    const lags = [...places].map(([key, { topic, partition }]): GroupLag => {
      const committedOffset = offsets.get(key);
      const logEndOffset = ends.get(key);
      const isKnown = committedOffset !== undefined && logEndOffset !== undefined;
      const lag = isKnown ? Math.max(logEndOffset - committedOffset, 0) : undefined;
      return { topic, partition, committedOffset, logEndOffset, lag, member: readers.get(key) };
    });
    return lags.sort(byPlace);
  }

  /** Where partitions end. One that cannot be asked is missing. */
  async #ends(
    places: readonly TopicPartitionName[],
    options: AdminCallOptions,
  ): Promise<ReadonlyMap<string, number>> {
    const ends = new Map<string, number>();
    for (const topic of new Set(places.map((place) => place.topic))) {
      const questions = places
        .filter((place) => place.topic === topic)
        .map(({ partition }) => ({ partition, position: "latest" as const }));
      try {
        for (const { partition, offset } of await this.#cluster.offsets.find(
          topic,
          questions,
          options,
        )) {
          ends.set(partitionKey(topic, partition), offset);
        }
      } catch (error) {
        // A topic may be gone while a group still has offsets in it.
        if (!(error instanceof BrokerError)) throw error;
      }
    }
    return ends;
  }
}

export function byPlace(one: TopicPartitionName, other: TopicPartitionName): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1;
  return one.partition - other.partition;
}

export function refusalOf({ topic, partition, error }: RefusalMessage): GroupOffsetRefusal {
  const refusal =
    error === undefined
      ? new BrokerError("UNKNOWN_SERVER_ERROR", "refused without a reason")
      : errorFromProto(error);
  return { topic, partition, error: refusal };
}
