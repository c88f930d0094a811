/** What a shard answers and writes, as sentences. */
import type { ErrorCode } from "@strandline/model";
import {
  type CoordinationRecord,
  type GroupResponse,
  readGroupValue,
  readKey,
  readOffsetValue,
  type TopicOf,
} from "../index.js";
import { metadataText, textOf } from "./words.js";

export function recordSentence({ key, value }: CoordinationRecord): string {
  const about = readKey(key);
  if (about === undefined) return "writes something else";
  if (about.kind === "offset") {
    const place = `${about.groupId} ${about.topic}-${about.partition}`;
    if (value === null) return `deletes offset ${place}`;
    const { offset, expiresAtMs, leaderEpoch, metadata } = readOffsetValue(value);
    const epoch = leaderEpoch < 0 ? "" : ` epoch ${leaderEpoch}`;
    const text = metadata === "" ? "" : ` "${metadata.slice(0, 10)}"`;
    const until = expiresAtMs === undefined ? "" : ` until ${expiresAtMs}`;
    return `writes offset ${place} = ${offset}${epoch}${text}${until}`;
  }
  if (value === null) return `deletes group ${about.groupId}`;
  const { generation, protocolName, members } = readGroupValue(value);
  const texts = members.map(({ memberId, assignment }) => `${memberId}[${textOf(assignment)}]`);
  const who = texts.length === 0 ? "nobody" : `${protocolName} ${texts.join(" ")}`;
  return `writes group ${about.groupId}: generation ${generation}, ${who}`;
}

export function responseSentence(asker: string, response: GroupResponse): string[] {
  switch (response.kind) {
    case "join":
      return [`${asker}: ${joinText(response)}`];
    case "sync":
      return [`${asker}: ${syncText(response)}`];
    case "heartbeat":
      return [`${asker}: ${response.error ?? "alive"}`];
    case "leave":
      return [`${asker}: ${leaveText(response)}`];
    case "commit":
      return [`${asker}: ${response.error ?? "committed"}${outcomes(response.topics)}`];
    case "fetch-offsets":
      return [`${asker}:${offsetsText(response.topics)}`];
    case "describe":
      return describeLines(response);
    case "list":
      return response.groups.map(
        ({ groupId, protocolType, state, type }) =>
          `${groupId}: ${state}, ${type}, "${protocolType}"`,
      );
    case "delete-group":
      return [response.error ?? "deleted"];
    case "delete-offsets":
      return [`${response.error ?? "done"}${outcomes(response.topics)}`];
    case "topics-deleted":
      return ["done"];
  }
}

function joinText(response: GroupResponse & { kind: "join" }): string {
  const { error, memberId, generation, protocolName, leaderId, members } = response;
  if (error === "MEMBER_ID_REQUIRED") return `${error}, ${memberId}`;
  if (error !== undefined) return error;
  const skip = response.skipAssignment ? ", skips the assignment" : "";
  const all = members.map((member) => `${member.memberId}(${metadataText(member.metadata)})`);
  const whole = all.length === 0 ? "" : ` of ${all.join(" ")}`;
  const lead = leaderId === memberId ? "leads" : `follows ${leaderId}`;
  return `${memberId} in generation ${generation}, ${protocolName}, ${lead}${whole}${skip}`;
}

function syncText(response: GroupResponse & { kind: "sync" }): string {
  if (response.error !== undefined) return response.error;
  return `assigned [${textOf(response.assignment)}] by ${response.protocolName}`;
}

function leaveText(response: GroupResponse & { kind: "leave" }): string {
  if (response.error !== undefined) return response.error;
  return response.members
    .map(({ memberId, instanceId, error }) => `${memberId || instanceId} ${error ?? "left"}`)
    .join(", ");
}

interface Outcome {
  readonly partition: number;
  readonly error: ErrorCode | undefined;
}

/** Only what was refused of single partitions. */
function outcomes(topics: readonly TopicOf<Outcome>[]): string {
  let text = "";
  for (const { topic, partitions } of topics) {
    for (const { partition, error } of partitions) {
      if (error !== undefined) text += ` ${topic}-${partition}:${error}`;
    }
  }
  return text;
}

interface Committed {
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
}

function offsetsText(topics: readonly TopicOf<Committed>[]): string {
  let text = "";
  for (const { topic, partitions } of topics) {
    for (const { partition, offset, leaderEpoch, metadata } of partitions) {
      text += ` ${topic}-${partition}:${offset}`;
      if (leaderEpoch >= 0) text += ` epoch ${leaderEpoch}`;
      if (metadata !== "") text += ` "${metadata.slice(0, 10)}"`;
    }
  }
  return text === "" ? " none" : text;
}

function describeLines(response: GroupResponse & { kind: "describe" }): string[] {
  const { error, groupId, state, protocolType, protocolName, generation, members } = response;
  const refused = error === undefined ? "" : `, ${error}`;
  const protocol = `"${protocolType}" "${protocolName}"`;
  const head = `${groupId}: ${state}, generation ${generation}, ${protocol}${refused}`;
  return [
    head,
    ...members.map(({ memberId, instanceId, clientId, clientHost, metadata, assignment }) => {
      const instance = instanceId === undefined ? "" : ` instance ${instanceId}`;
      const bytes = `(${metadataText(metadata)})[${textOf(assignment)}]`;
      return `  ${memberId}${bytes}${instance}, client ${clientId} at ${clientHost}`;
    }),
  ];
}
