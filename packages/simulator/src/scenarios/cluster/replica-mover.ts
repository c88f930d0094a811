/** An operator who moves replicas all the time, and sometimes changes their mind. */
import { ClientError, StrandlineClient } from "@strandline/client";
import { BrokerError } from "@strandline/model";
import type { App, NodePorts } from "../../node-ports.js";
import { TOPIC } from "./cluster-client.js";
import { CLIENT_PORT, nodeName } from "./cluster-node.js";

const PAUSE_MS_MAX = 3_000;
/** One in so many takes a move back instead. */
const REVERTS_OF = 5;

export interface ReplicaMoverOptions {
  readonly nodes: readonly number[];
  readonly partitions: number;
}

export class ReplicaMover implements App {
  readonly #ports: NodePorts;
  readonly #options: ReplicaMoverOptions;
  readonly #client: StrandlineClient;
  #isStopped = false;
  #isMoving = false;

  constructor(ports: NodePorts, options: ReplicaMoverOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#client = new StrandlineClient(ports, {
      bootstrap: options.nodes.map((id) => `${nodeName(id)}:${CLIENT_PORT}`),
    });
  }

  /** Whoever was moved last stays where it is. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Nothing that it has asked for is without an answer. */
  get isAnswered(): boolean {
    return !this.#isMoving;
  }

  async close(): Promise<void> {
    this.stop();
    await this.#client.close();
  }

  async run(): Promise<void> {
    const { random, timers } = this.#ports;
    while (!this.#isStopped) {
      await new Promise<void>((resolve) => {
        timers.after(random.below(PAUSE_MS_MAX), resolve);
      });
      if (!this.#isStopped) await this.#move();
    }
  }

  async #move(): Promise<void> {
    const { random } = this.#ports;
    const partition = random.below(this.#options.partitions);
    const replicas = random.below(REVERTS_OF) === 0 ? [] : this.#assignment();
    this.#isMoving = true;
    try {
      await this.#client.admin.alterReassignments([{ topic: TOPIC, partition, replicas }]);
    } catch (error) {
      // Refusals and timeouts are what faults do; anything else is a bug.
      if (!(error instanceof BrokerError || error instanceof ClientError)) throw error;
    } finally {
      this.#isMoving = false;
    }
  }

  #assignment(): number[] {
    const { random } = this.#ports;
    const left = [...this.#options.nodes];
    const count = 1 + random.below(left.length);
    return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0] ?? 0);
  }
}
