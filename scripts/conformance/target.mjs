/**
 * The cluster that the clients talk to: three fresh brokers of ours, as processes, or any cluster
 * that is there already. Of another's cluster nothing is killed.
 */
import { Cluster } from "../lab/cluster.mjs";
import { Lacking } from "../lab/lacking.mjs";

/**
 * What other people's suites expect of a cluster for tests: topics of four partitions, and groups
 * that do not wait for members who might come.
 */
const SETTINGS = ["num.partitions=4", "group.initial.rebalance.delay.ms=50"];

export class OwnTarget {
  name = "three brokers of this checkout";
  #cluster;

  static async open(workspace) {
    const target = new OwnTarget();
    target.#cluster = await Cluster.start(workspace, { settings: SETTINGS });
    return target;
  }

  get bootstrap() {
    return this.#cluster.kafkaBootstrap;
  }

  /** Where the segments of a partition are, on each broker. */
  get dataDirectories() {
    return [...this.#cluster.nodes.values()].map((node) => node.directory);
  }

  async untilHealthy() {
    await this.#cluster.untilHealthy();
  }

  /**
   * Looks who leads a partition, and resolves with how to end it at once, as a crash does; which
   * resolves with how to bring it back.
   */
  async leaderKill(topic, partition) {
    const id = await this.#cluster.leaderOf(topic, partition);
    return async () => {
      await this.#cluster.kill(id);
      return async () => {
        this.#cluster.startNode(id);
        await this.#cluster.untilHealthy();
      };
    };
  }
}

export class ForeignTarget {
  name;
  bootstrap;

  constructor(bootstrap) {
    this.name = bootstrap;
    this.bootstrap = bootstrap.split(",");
  }

  get dataDirectories() {
    throw new Lacking("the files of this cluster are not ours to read");
  }

  async untilHealthy() {}

  async leaderKill() {
    throw new Lacking("the brokers of this cluster are not ours to kill");
  }
}
