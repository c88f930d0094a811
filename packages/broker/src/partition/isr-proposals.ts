/** Brings a leader's proposal for the in-sync replicas to the controller, and the answer back. */
import { BrokerError, type NodeId } from "@strandline/model";
import type { ControllerSession } from "../cluster/controller-session.js";
import type { IsrProposal, Partition } from "./partition.js";

const TIMEOUT_MS = 5_000;

export function proposeIsr(
  session: ControllerSession,
  nodeId: NodeId,
  partition: Partition,
  proposal: IsrProposal,
): void {
  const brokerEpoch = session.brokerEpoch;
  if (brokerEpoch === undefined) return;
  const command = {
    kind: "alter-partition",
    brokerId: nodeId,
    brokerEpoch,
    topicId: partition.topicId,
    partition: partition.partition,
    leaderEpoch: proposal.leaderEpoch as never,
    partitionEpoch: proposal.partitionEpoch as never,
    isr: proposal.isr,
  } as const;
  session.submit(command, TIMEOUT_MS).then(
    ({ response }) => {
      const { isr, partitionEpoch } = response as { isr: NodeId[]; partitionEpoch: number };
      if (partition.leader?.epoch !== proposal.leaderEpoch) return;
      partition.leader.isrAnswered({ kind: "committed", isr, partitionEpoch });
    },
    (error: unknown) => {
      if (partition.leader?.epoch !== proposal.leaderEpoch) return;
      const code = error instanceof BrokerError ? error.code : "REQUEST_TIMED_OUT";
      partition.leader.isrAnswered({ kind: "refused", code });
    },
  );
}
