/** Hands out producer ids from blocks that the controller allocates. No id is given twice. */
import { BrokerError, type NodeId } from "@strandline/model";
import type { ControllerSession } from "../cluster/controller-session.js";

const TIMEOUT_MS = 10_000;

export class ProducerIds {
  readonly #session: ControllerSession;
  readonly #nodeId: NodeId;
  #next = 0;
  #end = 0;
  #allocation: Promise<void> | undefined;

  constructor(session: ControllerSession, nodeId: NodeId) {
    this.#session = session;
    this.#nodeId = nodeId;
  }

  async next(): Promise<number> {
    while (this.#next >= this.#end) {
      this.#allocation ??= this.#allocate().finally(() => {
        this.#allocation = undefined;
      });
      await this.#allocation;
    }
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  async #allocate(): Promise<void> {
    const brokerEpoch = this.#session.brokerEpoch;
    if (brokerEpoch === undefined) {
      throw new BrokerError("BROKER_NOT_AVAILABLE", "this broker is not registered yet");
    }
    const { response } = await this.#session.submit(
      { kind: "allocate-producer-ids", brokerId: this.#nodeId, brokerEpoch },
      TIMEOUT_MS,
    );
    const block = response as { firstProducerId: number; count: number };
    this.#next = block.firstProducerId;
    this.#end = block.firstProducerId + block.count;
  }
}
