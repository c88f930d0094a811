/**
 * Produce: checks a request, turns plain records into a batch, and brings it to the leader.
 * Callback style on purpose: one batch costs no promise on its way.
 */
import { BrokerError, isInternalTopic } from "@strandline/model";
import type { Clock, Crc32c } from "@strandline/platform";
import {
  attributes,
  BatchEncoder,
  compressionName,
  partitionForKey,
  producedBatchProblem,
  producedRecordsProblem,
} from "@strandline/record";
import {
  errorToProto,
  type ProduceRequest,
  type ProduceResponse,
  type RecordMessage,
  type RecordPosition,
} from "@strandline/rpc";
import type { AppendOptions } from "../partition/leader-role.js";
import type { Partition } from "../partition/partition.js";
import type { Acks, OnProduced } from "../partition/produce-ticket.js";
import type { Directory } from "./directory.js";
import type { OnAnswer, ProduceForwarder } from "./produce-forwarder.js";

const TIMEOUT_MS_DEFAULT = 30_000;
const TIMEOUT_MS_MAX = 300_000;

export class ProduceService {
  readonly #directory: Directory;
  readonly #forwarder: ProduceForwarder;
  readonly #clock: Clock;
  readonly #crc32c: Crc32c;
  readonly #pendingBytesMax: number;
  #pendingBytes = 0;
  #sticky = 0;

  constructor(
    ports: { clock: Clock; crc32c: Crc32c },
    parts: { directory: Directory; forwarder: ProduceForwarder; pendingBytesMax: number },
  ) {
    this.#clock = ports.clock;
    this.#crc32c = ports.crc32c;
    this.#directory = parts.directory;
    this.#forwarder = parts.forwarder;
    this.#pendingBytesMax = parts.pendingBytesMax;
  }

  /** Calls back exactly once. The request's bytes belong to the broker from here on. */
  produce(request: ProduceRequest, onAnswer: OnAnswer): void {
    try {
      const hasBatch = request.batch.length > 0;
      if (hasBatch === request.records.length > 0) {
        throw new BrokerError(
          "INVALID_REQUEST",
          hasBatch
            ? "a produce request holds either `records` or `batch`, not both"
            : "a produce request without records",
        );
      }
      if (request.partition === undefined) {
        if (hasBatch) {
          throw new BrokerError(
            "INVALID_REQUEST",
            "a produce request with `batch` names its partition",
          );
        }
        this.#produceByKey(request, onAnswer);
        return;
      }
      this.#produceTo(request, request.partition, onAnswer);
    } catch (error) {
      onAnswer(asBrokerError(error), undefined);
    }
  }

  #produceTo(request: ProduceRequest, partition: number, onAnswer: OnAnswer): void {
    if (isInternalTopic(request.topic)) {
      throw new BrokerError("INVALID_TOPIC_EXCEPTION", `${request.topic} is the cluster's own`);
    }
    const leader = this.#directory.leader(request.topic, partition, request.forwarded);
    const timeoutMs = requestTimeoutMs(request.timeoutMs);
    if (leader.kind === "remote") {
      this.#forwarder.send(leader.address, { ...request, partition }, timeoutMs, onAnswer);
      return;
    }
    const batch =
      request.batch.length > 0 ? (request.batch as Uint8Array) : this.#encode(request.records);
    const options = { acks: acksOf(request.acks), timeoutMs };
    this.append(leader.replica, batch, options, (error, appended) => {
      if (appended === undefined) {
        onAnswer(error ?? new BrokerError("UNKNOWN_SERVER_ERROR", "no answer"), undefined);
        return;
      }
      onAnswer(undefined, {
        correlationId: request.correlationId,
        partition,
        baseOffset: appended.baseOffset,
        ...(appended.logAppendTimeMs >= 0 ? { logAppendTimeMs: appended.logAppendTimeMs } : {}),
        logStartOffset: appended.logStartOffset,
        positions: [],
      });
    });
  }

  /**
   * Appends one batch as a client sent it to a replica that leads here. Takes ownership of the bytes.
   * Throws refusals that come before the append; else calls back exactly once.
   */
  append(
    replica: Partition,
    batch: Uint8Array,
    options: AppendOptions,
    onProduced: OnProduced,
  ): void {
    const problem = producedBatchProblem(batch, this.#crc32c);
    if (problem !== undefined) throw new BrokerError(problem.code, problem.message);
    if (isUncompressed(batch)) {
      // A record that cannot be read would stop every reader behind it. Compressed ones stay shut.
      const broken = producedRecordsProblem(batch, { outputBytesMax: 0 });
      if (broken !== undefined) throw new BrokerError(broken.code, broken.message);
    }
    if (this.#pendingBytes + batch.length > this.#pendingBytesMax) {
      throw new BrokerError(
        "THROTTLING_QUOTA_EXCEEDED",
        "too much waits for acknowledgement; slow down",
      );
    }
    const sizeBytes = batch.length;
    this.#pendingBytes += sizeBytes;
    try {
      replica.append(batch, options, (error, appended) => {
        this.#pendingBytes -= sizeBytes;
        onProduced(error, appended);
      });
    } catch (error) {
      this.#pendingBytes -= sizeBytes;
      throw error;
    }
  }

  /** Splits plain records by the partition their keys choose, and gathers the answers. */
  #produceByKey(request: ProduceRequest, onAnswer: OnAnswer): void {
    const count = this.#directory.topic(request.topic).partitions.length;
    const groups = new Map<number, number[]>();
    this.#sticky += 1;
    request.records.forEach((record, index) => {
      const partition =
        record.key === undefined ? this.#sticky % count : partitionForKey(record.key, count);
      const group = groups.get(partition);
      if (group === undefined) groups.set(partition, [index]);
      else group.push(index);
    });
    const positions = new Array<RecordPosition>(request.records.length);
    let open = groups.size;
    let first: ProduceResponse | undefined;
    for (const [partition, indexes] of groups) {
      const records = indexes.map((index) => request.records[index] as RecordMessage);
      const onGroup: OnAnswer = (error, response) => {
        indexes.forEach((index, at) => {
          positions[index] = {
            partition,
            offset:
              response === undefined || response.baseOffset < 0 ? -1 : response.baseOffset + at,
            ...(error === undefined ? {} : { error: errorToProto(error) }),
          };
        });
        first ??= response;
        open -= 1;
        if (open > 0) return;
        // Every partition refused: that is the request's own failure.
        if (first === undefined) onAnswer(error, undefined);
        else onAnswer(undefined, { ...first, correlationId: request.correlationId, positions });
      };
      try {
        this.#produceTo({ ...request, records }, partition, onGroup);
      } catch (error) {
        onGroup(asBrokerError(error), undefined);
      }
    }
  }

  #encode(records: readonly RecordMessage[]): Uint8Array {
    const encoder = new BatchEncoder();
    const nowMs = this.#clock.wallMs();
    for (const record of records) {
      encoder.append({
        key: record.key ?? null,
        value: record.value ?? null,
        timestampMs: record.timestampMs ?? nowMs,
        headers: record.headers.map((header) => ({ key: header.key, value: header.value ?? null })),
      });
    }
    return encoder.finish({ crc32c: this.#crc32c });
  }
}

function isUncompressed(batch: Uint8Array): boolean {
  return compressionName(attributes(batch, 0) & 7) === "none";
}

function acksOf(acks: string): Acks {
  if (acks === "ACKS_LEADER") return "leader";
  if (acks === "ACKS_NONE") return "none";
  return "all";
}

function requestTimeoutMs(asked: number): number {
  if (asked < 0) throw new BrokerError("INVALID_REQUEST", "timeout_ms must not be negative");
  return asked === 0 ? TIMEOUT_MS_DEFAULT : Math.min(asked, TIMEOUT_MS_MAX);
}

/** Refusals pass; anything else is a bug and goes on to the process's own handler. */
function asBrokerError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  throw error;
}
