/** Bad weather for a fake cluster: losses, breaks, late ghosts of requests, moving leaders. */
import { BrokerError } from "@strandline/model";
import type { ProduceFault } from "./fake-cluster.js";
import type { FakeWorld } from "./fake-world.js";
import { SeededRandom } from "./seeded-random.js";

export class Weather {
  readonly #world: FakeWorld;
  readonly #random: SeededRandom;
  #isBad = true;

  constructor(world: FakeWorld, seed: number) {
    this.#world = world;
    this.#random = new SeededRandom(seed);
    world.network.latencyMs = this.#random.below(4);
    world.cluster.forwards = this.#random.chance(0.5);
    world.cluster.onProduce = () => this.#fault();
    this.#blow();
  }

  /** From now on everything works. */
  clear(): void {
    this.#isBad = false;
    const { cluster, network } = this.#world;
    cluster.onProduce = undefined;
    for (const address of cluster.brokers.values()) {
      network.up(address);
      const host = network.hosts.get(address);
      if (host !== undefined) host.isSilent = false;
    }
    for (const [name, { partitions }] of cluster.topics) {
      partitions.forEach((partition, at) => {
        if (partition.leaderId < 0) cluster.moveLeader(name, at, 1);
      });
    }
  }

  #fault(): ProduceFault | undefined {
    const random = this.#random;
    if (!random.chance(0.15)) return undefined;
    switch (random.below(6)) {
      case 0:
        return { kind: "lose-request" };
      case 1:
        return { kind: "lose-answer" };
      case 2:
        return { kind: "haunt", delayMs: random.below(2_000) };
      case 3:
        return { kind: "answer-late", delayMs: random.below(300) };
      case 4:
        return random.chance(0.2) ? { kind: "ignore" } : undefined;
      default:
        return { kind: "refuse", error: new BrokerError(this.#refusal(), "bad weather") };
    }
  }

  #refusal(): BrokerError["code"] {
    const codes = ["NOT_ENOUGH_REPLICAS", "THROTTLING_QUOTA_EXCEEDED", "CORRUPT_MESSAGE"] as const;
    if (this.#random.chance(0.1)) return "POLICY_VIOLATION";
    if (this.#random.chance(0.2)) return "MESSAGE_TOO_LARGE";
    return codes[this.#random.below(codes.length)] ?? "NOT_ENOUGH_REPLICAS";
  }

  #blow(): void {
    if (!this.#isBad) return;
    const { cluster, network } = this.#world;
    const random = this.#random;
    const address = cluster.address(1 + random.below(cluster.brokers.size));
    const host = network.hosts.get(address);
    switch (random.below(6)) {
      case 0:
        for (const link of network.links) if (random.chance(0.5)) link.cut();
        break;
      case 1:
        if (host?.isUp === true && random.chance(0.4)) network.down(address);
        break;
      case 2:
        network.up(address);
        if (host !== undefined) host.isSilent = false;
        break;
      case 3:
        if (host !== undefined) host.isSilent = random.chance(0.2);
        break;
      default:
        for (const [name, { partitions }] of cluster.topics) {
          const leaderId = random.chance(0.1) ? -1 : 1 + random.below(cluster.brokers.size);
          cluster.moveLeader(name, random.below(partitions.length), leaderId);
        }
    }
    this.#world.time.after(random.below(400), () => this.#blow());
  }
}
