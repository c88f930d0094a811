/** Brings a leader's proposal for the in-sync replicas to the controller, and the answer back. */
import { BrokerError, type NodeId } from "@strandline/model";
import type { ControllerSession } from "../cluster/controller-session.js";
import type { IsrProposal, Partition } from "./partition.js";

const TIMEOUT_MS = 5_000;
const REFUSED_MS = 100;

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
      // Anything else is a bug: it must not be mistaken for an answer, and asked again for ever.
      if (!(error instanceof BrokerError)) throw error;
      partition.ports.logger.debug(
        { partition: partition.key, code: error.code, reason: error.message },
        "the controller refused a change of the in-sync replicas",
      );
      // A refusal that comes at once must not become a question that is asked at once.
      partition.ports.timers.after(REFUSED_MS, () => {
        if (partition.leader?.epoch !== proposal.leaderEpoch) return;
        partition.leader.isrAnswered({ kind: "refused", code: error.code });
      });
    },
  );
}
