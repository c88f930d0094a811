/**
 * Settings that files written for Kafka have, and that change nothing here. They are taken and told
 * of, so that such a file works as it is, and nobody believes in a setting that does nothing.
 */
import { KEPT_CONFIGS } from "@strandline/metadata";

export interface IdleSetting {
  readonly key: string;
  /** Ends the sentence "<key> has no effect here: ". */
  readonly reason: string;
}

const SOCKETS = "the operating system sizes the buffers of sockets";
const SYNC = "durability of a topic says what is synced when";
const TRANSACTIONS = "there are no transactions";
const SHARE = "there are no share groups";

function idle(reason: string, ...keys: string[]): IdleSetting[] {
  return keys.map((key) => ({ key, reason }));
}

export const WITHOUT_EFFECT: readonly IdleSetting[] = [
  // Not those of one broker alone: they are SASL's, and a file with them asks for more than times.
  ...KEPT_CONFIGS.filter(({ update }) => update === "all-or-one").map(({ name, why }) => ({
    key: name,
    reason: why,
  })),
  ...idle("a node has no pools of threads to size", "queued.max.requests"),
  ...idle(SOCKETS, "socket.send.buffer.bytes", "socket.receive.buffer.bytes"),
  ...idle(SYNC, "log.flush.interval.messages", "log.flush.interval.ms"),
  ...idle(
    TRANSACTIONS,
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
    "transaction.state.log.num.partitions",
    "transactional.id.expiration.ms",
    "transaction.max.timeout.ms",
  ),
  ...idle(
    SHARE,
    "share.coordinator.state.topic.replication.factor",
    "share.coordinator.state.topic.min.isr",
  ),
  ...idle("nodes talk to each other on the peer port", "inter.broker.listener.name"),
  ...idle("controller.quorum.voters lists them all", "controller.quorum.bootstrap.servers"),
  ...idle("a stopping broker always hands over", "controlled.shutdown.enable"),
  ...idle("leaders return to the preferred replica by themselves", "auto.leader.rebalance.enable"),
  ...idle("groups speak the classic protocol", "group.coordinator.rebalance.protocols"),
];
