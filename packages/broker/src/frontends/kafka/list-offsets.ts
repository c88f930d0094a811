/** ListOffsets: the ends of partitions, and the first record of a time. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import { BrokerError, type ErrorCode, errorNumber } from "@strandline/model";
import type { Directory } from "../../services/directory.js";
import type { FoundOffset, OffsetsService } from "../../services/offsets.js";
import type { KafkaHandler } from "./handler.js";

export interface ListOffsetsParts {
  readonly directory: Directory;
  readonly offsets: OffsetsService;
}

type Request = RequestOf<ServedApis["ListOffsets"]>;
type Question = Request["topics"][number]["partitions"][number];
type Answer = OutgoingResponseOf<ServedApis["ListOffsets"]>["topics"][number]["partitions"][number];

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;

/** Times that stand for a place, each with the version since which it does. */
const PLACES: ReadonlyMap<number, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
]);
/** Since then a client waits for a new leader that does not know its end yet. */
const OFFSET_NOT_AVAILABLE_VERSION_MIN = 5;

export function listOffsetsHandler(parts: ListOffsetsParts): KafkaHandler<"ListOffsets"> {
  return async (request, { version }) => {
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => {
        const isTwice = twice(partitions.map(({ partitionIndex }) => partitionIndex));
        return {
          name,
          partitions: await Promise.all(
            partitions.map(async (question): Promise<Answer> => {
              const { partitionIndex } = question;
              try {
                if (isTwice.has(partitionIndex)) {
                  throw new BrokerError("INVALID_REQUEST", "a partition is asked for twice");
                }
                const found = await find(parts, name, question, version);
                const { offset, timestampMs, leaderEpoch } = found;
                return {
                  partitionIndex,
                  errorCode: 0,
                  offset,
                  timestamp: timestampMs,
                  leaderEpoch,
                };
              } catch (error) {
                if (!(error instanceof BrokerError)) throw error;
                return { partitionIndex, errorCode: errorNumber(toldCode(error.code, version)) };
              }
            }),
          ),
        };
      }),
    );
    return { topics };
  };
}

async function find(
  { directory, offsets }: ListOffsetsParts,
  name: string,
  { partitionIndex, currentLeaderEpoch, timestamp }: Question,
  version: number,
): Promise<FoundOffset> {
  const sinceVersion = timestamp < 0 ? PLACES.get(timestamp) : 0;
  if (sinceVersion === undefined || version < sinceVersion) {
    throw new BrokerError("UNSUPPORTED_VERSION", `version ${version} has no place ${timestamp}`);
  }
  const replica = directory.led(directory.topic(name), partitionIndex);
  replica.requireLeader(currentLeaderEpoch < 0 ? undefined : currentLeaderEpoch);
  if (timestamp === LATEST_TIERED) return { offset: -1, timestampMs: -1, leaderEpoch: -1 };
  if (timestamp === MAX_TIMESTAMP) return await offsets.findMaxTimestamp(replica);
  if (timestamp === LATEST) return await offsets.findHere(replica, { latest: true });
  if (timestamp < 0) return await offsets.findHere(replica, { earliest: true });
  return await offsets.findHere(replica, { timestampMs: timestamp });
}

function toldCode(code: ErrorCode, version: number): ErrorCode {
  return code === "OFFSET_NOT_AVAILABLE" && version < OFFSET_NOT_AVAILABLE_VERSION_MIN
    ? "LEADER_NOT_AVAILABLE"
    : code;
}

function twice(indexes: readonly number[]): ReadonlySet<number> {
  const seen = new Set<number>();
  const found = new Set<number>();
  for (const index of indexes) {
    if (seen.has(index)) found.add(index);
    seen.add(index);
  }
  return found;
}
