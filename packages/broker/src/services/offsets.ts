/** Finds offsets: the ends of partitions, or the first record of a time. */
import { BrokerError } from "@strandline/model";
import type { Transport } from "@strandline/platform";
import {
  errorFromProto,
  errorToProto,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  logMethods,
  type OffsetAnswer,
  type StartPosition,
} from "@strandline/rpc";
import type { LeaderRole } from "../partition/leader-role.js";
import type { Partition } from "../partition/partition.js";
import type { Directory } from "./directory.js";

const FORWARD_TIMEOUT_MS = 5_000;

export interface FoundOffset {
  /** -1: no record is as late as the asked time. */
  readonly offset: number;
  readonly timestampMs: number;
  readonly leaderEpoch: number;
}

export class OffsetsService {
  readonly #transport: Transport;
  readonly #directory: Directory;

  constructor(ports: { transport: Transport }, parts: { directory: Directory }) {
    this.#transport = ports.transport;
    this.#directory = parts.directory;
  }

  async list(request: ListOffsetsRequest): Promise<ListOffsetsResponse> {
    this.#directory.topic(request.topic);
    const answers = await Promise.all(
      request.queries.map(async (query): Promise<OffsetAnswer> => {
        try {
          const position = query.position ?? { latest: true };
          return {
            partition: query.partition,
            ...(await this.find(request.topic, query.partition, position, request.forwarded)),
          };
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
          return {
            partition: query.partition,
            offset: -1,
            timestampMs: -1,
            leaderEpoch: -1,
            error: errorToProto(error),
          };
        }
      }),
    );
    return { answers };
  }

  /** One partition, here or at its leader. Throws the refusal. */
  async find(
    topic: string,
    partition: number,
    position: StartPosition,
    isForwarded: boolean,
  ): Promise<FoundOffset> {
    const leader = this.#directory.leader(topic, partition, isForwarded);
    if (leader.kind === "remote") {
      const response = await this.#transport
        .call(
          leader.address,
          logMethods.listOffsets,
          { topic, queries: [{ partition, position }], forwarded: true },
          { timeoutMs: FORWARD_TIMEOUT_MS },
        )
        .catch((error: unknown) => {
          if (error instanceof BrokerError) throw error;
          throw new BrokerError("NETWORK_EXCEPTION", "the leader did not answer", { cause: error });
        });
      const answer = response.answers[0];
      if (answer === undefined) throw new BrokerError("UNKNOWN_SERVER_ERROR", "an empty answer");
      if (answer.error !== undefined) throw errorFromProto(answer.error);
      return answer;
    }
    return await this.findHere(leader.replica, position);
  }

  /** Of a replica that leads here. Throws the refusal. */
  async findHere(replica: Partition, position: StartPosition): Promise<FoundOffset> {
    const role = replica.requireLeader();
    const leaderEpoch = role.epoch;
    if (position.offset !== undefined) {
      return { offset: position.offset, timestampMs: -1, leaderEpoch };
    }
    if (position.earliest) {
      return { offset: replica.log.logStartOffset, timestampMs: -1, leaderEpoch };
    }
    requireKnownEnd(role);
    if (position.timestampMs !== undefined) {
      const found = await replica.log.offsetForTimestamp(
        position.timestampMs,
        replica.highWatermark,
      );
      replica.requireLeader(leaderEpoch);
      return found ?? { offset: -1, timestampMs: -1, leaderEpoch: -1 };
    }
    return { offset: replica.highWatermark, timestampMs: -1, leaderEpoch };
  }

  /** The first of the committed records with the largest timestamp. Throws the refusal. */
  async findMaxTimestamp(replica: Partition): Promise<FoundOffset> {
    const role = replica.requireLeader();
    requireKnownEnd(role);
    const found = await replica.log.offsetOfMaxTimestamp(replica.highWatermark);
    replica.requireLeader(role.epoch);
    return found ?? { offset: -1, timestampMs: -1, leaderEpoch: -1 };
  }
}

/** A new leader must not answer with an end below what its predecessor had already shown. */
function requireKnownEnd(role: LeaderRole): void {
  if (role.knowsItsHighWatermark) return;
  throw new BrokerError(
    "OFFSET_NOT_AVAILABLE",
    "the new leader is still finding what is committed",
  );
}
