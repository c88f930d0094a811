/** DescribeGroups and ListGroups. */
import type { Group } from "../group.js";
import type { ListCommand } from "../group-command.js";
import type { DescribedMember, DescribeResponse, ListedGroup } from "../group-response.js";
import type { Member } from "../member.js";

const NOTHING = new Uint8Array(0);
/** The only type that there is so far: members assign among themselves. */
const TYPE = "classic";

export function describe(groupId: string, group: Group | undefined): DescribeResponse {
  if (group === undefined) {
    return {
      kind: "describe",
      error: "GROUP_ID_NOT_FOUND",
      groupId,
      state: "Dead",
      protocolType: "",
      protocolName: "",
      generation: -1,
      members: [],
    };
  }
  const protocolName = group.state === "Stable" ? (group.protocolName ?? "") : undefined;
  return {
    kind: "describe",
    error: undefined,
    groupId,
    state: group.state,
    protocolType: group.protocolType ?? "",
    protocolName: protocolName ?? "",
    generation: group.generation,
    members: [...group.members.values()].map((member) => describeMember(member, protocolName)),
  };
}

function describeMember(member: Member, protocolName: string | undefined): DescribedMember {
  const { memberId, instanceId, terms } = member;
  return {
    memberId,
    instanceId,
    clientId: terms.clientId,
    clientHost: terms.clientHost,
    metadata: protocolName === undefined ? NOTHING : member.metadataOf(protocolName),
    assignment: protocolName === undefined ? NOTHING : member.assignment,
  };
}

export function list(groups: Iterable<Group>, { states, types }: ListCommand): ListedGroup[] {
  if (!admits(types, TYPE)) return [];
  const listed: ListedGroup[] = [];
  for (const { groupId, protocolType = "", state } of groups) {
    if (admits(states, state)) listed.push({ groupId, protocolType, state, type: TYPE });
  }
  return listed;
}

function admits(filter: readonly string[], name: string): boolean {
  return filter.length === 0 || filter.some((text) => text.toLowerCase() === name.toLowerCase());
}
