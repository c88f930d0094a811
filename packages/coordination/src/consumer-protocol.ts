/**
 * What consumers write into their metadata and assignments. To the groups these are bytes of
 * somebody else's; we read them to know who is subscribed to a topic, and we write them where the
 * broker takes part on behalf of a client.
 */
import type { TopicOf } from "./group-command.js";
import { ByteReader, MalformedError } from "./records/byte-reader.js";
import { ByteWriter } from "./records/byte-writer.js";

/** Protocol type of groups whose bytes are these. */
export const CONSUMER_PROTOCOL_TYPE = "consumer";

const VERSION_WRITTEN = 3;

export interface Subscription {
  readonly topics: readonly string[];
  readonly userData: Uint8Array | undefined;
  /** What the member held when it joined. */
  readonly owned: readonly TopicOf<number>[];
  /** Of `owned`; -1 when the member does not say. */
  readonly generation: number;
  readonly rack: string | undefined;
}

export interface ConsumerAssignment {
  readonly partitions: readonly TopicOf<number>[];
  readonly userData: Uint8Array | undefined;
}

export function writeSubscription(subscription: Subscription): Uint8Array {
  const writer = new ByteWriter().int16(VERSION_WRITTEN);
  writer.array(subscription.topics, (topic) => void writer.text(topic));
  writer.bytes(subscription.userData);
  writePartitions(writer, subscription.owned);
  return writer.int32(subscription.generation).text(subscription.rack).finish();
}

/** Reads every version; later ones only add at the end. Throws MalformedError. */
export function readSubscription(bytes: Uint8Array): Subscription {
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  if (version < 0) throw new MalformedError(`a subscription of version ${version}`);
  return {
    topics: reader.array(() => reader.text()),
    userData: reader.nullableBytes(),
    owned: version >= 1 ? readPartitions(reader) : [],
    generation: version >= 2 ? reader.int32() : -1,
    rack: version >= 3 ? reader.nullableText() : undefined,
  };
}

/** Version 0, which every consumer reads: the later ones add nothing to an assignment. */
export function writeAssignment(assignment: ConsumerAssignment): Uint8Array {
  const writer = new ByteWriter().int16(0);
  writePartitions(writer, assignment.partitions);
  return writer.bytes(assignment.userData).finish();
}

/** Throws MalformedError. No bytes at all are an assignment of nothing. */
export function readAssignment(bytes: Uint8Array): ConsumerAssignment {
  if (bytes.length === 0) return { partitions: [], userData: undefined };
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  if (version < 0) throw new MalformedError(`an assignment of version ${version}`);
  return { partitions: readPartitions(reader), userData: reader.nullableBytes() };
}

function writePartitions(writer: ByteWriter, topics: readonly TopicOf<number>[]): void {
  writer.array(topics, ({ topic, partitions }) => {
    writer.text(topic).array(partitions, (partition) => void writer.int32(partition));
  });
}

function readPartitions(reader: ByteReader): TopicOf<number>[] {
  return reader.array(() => ({
    topic: reader.text(),
    partitions: reader.array(() => reader.int32()),
  }));
}
