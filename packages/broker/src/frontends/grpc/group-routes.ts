/** gRPC service `strandline.v1.Groups`: decodes, calls the services, encodes. Decides nothing. */
import { BrokerError } from "@strandline/model";
import {
  type RpcPeer,
  type RpcReceiver,
  type RpcRoute,
  type RpcStream,
  streamRoute,
  unaryRoute,
} from "@strandline/platform";
import {
  type GroupConsumeRequest,
  groupsMethods,
  type OutgoingGroupConsumeResponse,
} from "@strandline/rpc";
import type { GroupMember, GroupMemberOptions } from "../../group-member/group-member.js";
import type { GroupAdmin } from "../../services/group-admin.js";

/** Makes a member of a group. Throws the refusal. */
export type MakeMember = (options: GroupMemberOptions) => GroupMember;

export function groupRoutes(admin: GroupAdmin, makeMember: MakeMember): RpcRoute[] {
  return [
    streamRoute(groupsMethods.consume, (stream, peer) => memberStream(makeMember, stream, peer)),
    unaryRoute(
      groupsMethods.listGroups,
      async (request, _peer, signal) => await admin.list(request, signal),
    ),
    unaryRoute(
      groupsMethods.describeGroup,
      async ({ groupId }, _peer, signal) => await admin.describe(groupId, signal),
    ),
    unaryRoute(
      groupsMethods.fetchOffsets,
      async (request, _peer, signal) => await admin.fetchOffsets(request, signal),
    ),
    unaryRoute(groupsMethods.commitOffsets, async (request, _peer, signal) => ({
      refusals: await admin.commitOffsets(request, signal),
    })),
    unaryRoute(groupsMethods.deleteOffsets, async (request, _peer, signal) => ({
      refusals: await admin.deleteOffsets(request, signal),
    })),
    unaryRoute(groupsMethods.deleteGroup, async ({ groupId }, _peer, signal) => {
      await admin.deleteGroup(groupId, signal);
      return {};
    }),
  ];
}

function memberStream(
  makeMember: MakeMember,
  stream: RpcStream<OutgoingGroupConsumeResponse>,
  peer: RpcPeer,
): RpcReceiver<GroupConsumeRequest> {
  let member: GroupMember | undefined;
  return {
    onMessage({ join, commit, release, taken }): void {
      try {
        if (member === undefined) {
          if (join === undefined) throw new BrokerError("INVALID_REQUEST", "a member joins first");
          member = makeMember({ join, stream, clientHost: hostOf(peer) });
          member.start();
        } else if (commit !== undefined) {
          member.commit(commit);
        } else if (release !== undefined) {
          member.release(release.revocationId);
        } else if (taken !== undefined) {
          member.taken(taken.bytes);
        }
      } catch (error) {
        stream.abort(error as Error);
      }
    },
    onDrain(): void {
      member?.drained();
    },
    onEnd(error: Error | undefined): void {
      if (member === undefined) {
        if (error === undefined) stream.end();
        return;
      }
      // Neither of them throws: a member that cannot leave is forgotten by its session.
      void (error === undefined ? member.end() : member.close());
    },
  };
}

/** "ipv4:10.0.0.1:4711" and "[::1]:4711" without the port. */
function hostOf({ address }: RpcPeer): string {
  const host = address.replace(/^ipv[46]:/, "").replace(/:\d+$/, "");
  return `/${host.replace(/^\[(.*)\]$/, "$1")}`;
}
