/** What the offsets topic keeps of a group: generation and members, as Kafka writes it. */
import { ByteReader, MalformedError } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

const VERSION_WRITTEN = 3;

export interface GroupValue {
  readonly protocolType: string;
  readonly generation: number;
  readonly protocolName: string | undefined;
  readonly leaderId: string | undefined;
  /** When the group came into its state; -1 in records that do not say it. */
  readonly stateSinceMs: number;
  readonly members: readonly MemberValue[];
}

export interface MemberValue {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** Metadata of the chosen protocol. */
  readonly subscription: Uint8Array;
  readonly assignment: Uint8Array;
}

export function writeGroupValue(value: GroupValue): Uint8Array {
  const writer = new ByteWriter()
    .int16(VERSION_WRITTEN)
    .text(value.protocolType)
    .int32(value.generation)
    .text(value.protocolName)
    .text(value.leaderId)
    .int64(value.stateSinceMs);
  writer.array(value.members, (member) => {
    writer
      .text(member.memberId)
      .text(member.instanceId)
      .text(member.clientId)
      .text(member.clientHost)
      .int32(member.rebalanceTimeoutMs)
      .int32(member.sessionTimeoutMs)
      .bytes(member.subscription)
      .bytes(member.assignment);
  });
  return writer.finish();
}

/** Reads version 0 to 3. Throws MalformedError. */
export function readGroupValue(bytes: Uint8Array): GroupValue {
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  if (version < 0 || version > VERSION_WRITTEN) {
    throw new MalformedError(`a group of version ${version}`);
  }
  return {
    protocolType: reader.text(),
    generation: reader.int32(),
    protocolName: reader.nullableText(),
    leaderId: reader.nullableText(),
    stateSinceMs: version >= 2 ? reader.int64() : -1,
    members: reader.array(() => readMember(reader, version)),
  };
}

function readMember(reader: ByteReader, version: number): MemberValue {
  const memberId = reader.text();
  const instanceId = version >= 3 ? reader.nullableText() : undefined;
  const clientId = reader.text();
  const clientHost = reader.text();
  const rebalanceTimeoutMs = version >= 1 ? reader.int32() : -1;
  const sessionTimeoutMs = reader.int32();
  return {
    memberId,
    instanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    sessionTimeoutMs,
    subscription: reader.bytes(),
    assignment: reader.bytes(),
  };
}
