/** The two clusters, with the same handles: three brokers each, as processes on this machine. */
import { Cluster } from "../../lab/cluster.mjs";
import { KafkaReference } from "../../lab/kafka-reference.mjs";
import { freePorts } from "../../lab/ports.mjs";
import { Probe } from "./probe.mjs";

class Side {
  /** Its clients' addresses. */
  addresses;
  probe;
  cluster;

  get bootstrap() {
    return this.addresses.join(",");
  }

  get pids() {
    return this.cluster.living.map(({ child }) => child.pid);
  }

  launch() {
    for (const id of this.cluster.nodes.keys()) this.cluster.startNode(id);
  }

  async kill(id) {
    await this.cluster.kill(id);
  }

  startNode(id) {
    this.cluster.startNode(id);
  }

  async stop() {
    this.probe.close();
    await Promise.all(this.cluster.living.map(async ({ id }) => await this.cluster.kill(id)));
  }
}

/** Kafka with its own defaults: three copies, two of them in sync, nothing synced to disk. */
export class KafkaSide extends Side {
  name = "kafka";

  /** Prepares a cluster that was never started. */
  static async prepare(workspace, label, say) {
    const side = new KafkaSide();
    side.cluster = await KafkaReference.prepare(workspace, { name: label, say });
    side.addresses = side.cluster.bootstrap;
    side.probe = new Probe(side.addresses);
    return side;
  }

  async untilServing() {
    await this.cluster.untilServing();
  }
}

/** Ours: every acknowledged record was synced on the copies that acknowledge it. */
export class OwnSide extends Side {
  name = "strandline";

  static async prepare(workspace, label) {
    const side = new OwnSide();
    const port = await freePorts(9);
    const extra = ["--set", "group.initial.rebalance.delay.ms=0", "--log-level", "warn"];
    side.cluster = new Cluster(workspace, { name: label, port, extra });
    side.addresses = side.cluster.kafkaBootstrap;
    side.probe = new Probe(side.addresses);
    return side;
  }

  async untilServing() {
    await this.cluster.untilHealthy();
  }
}
