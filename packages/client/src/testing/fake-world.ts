/** A client over fakes: manual time, a network in memory, brokers that share their logs. */
import { crc32c, nodeCompressors, nullLogger } from "@strandline/platform";
import type { ClientOptions } from "../client-options.js";
import type { ClientPorts } from "../ports.js";
import { StrandlineClient } from "../strandline-client.js";
import { FakeCluster } from "./fake-cluster.js";
import { FakeNetwork } from "./fake-network.js";
import { ManualTime } from "./manual-time.js";
import { SeededRandom } from "./seeded-random.js";

export class FakeWorld {
  readonly time = new ManualTime();
  readonly network: FakeNetwork;
  readonly cluster: FakeCluster;
  readonly ports: ClientPorts;

  constructor(options: { readonly brokers?: number; readonly seed?: number } = {}) {
    this.network = new FakeNetwork(this.time);
    this.cluster = new FakeCluster(this.network, this.time, options.brokers ?? 3);
    this.ports = {
      transport: this.network,
      clock: this.time,
      timers: this.time,
      random: new SeededRandom(options.seed ?? 1),
      logger: nullLogger,
      crc32c,
      compressors: nodeCompressors,
    };
  }

  client(options: Partial<ClientOptions> = {}): StrandlineClient {
    return new StrandlineClient(this.ports, { bootstrap: this.cluster.bootstrap, ...options });
  }
}
