/** Performs one drawn fault: who is hit, and how everyone comes back. */
import { setTimeout as sleep } from "node:timers/promises";

export class Faults {
  /** `{ number, kind, victims, controller, atMs }`, in order. */
  performed = [];
  #brokers;
  #observer;
  #availability;
  #signal;

  constructor({ brokers, observer, availability, signal }) {
    this.#brokers = brokers;
    this.#observer = observer;
    this.#availability = availability;
    this.#signal = signal;
  }

  /** Resolves once every victim runs again. The cluster has to be healthy before. */
  async perform(drawn) {
    const { partitions, controller } = await this.#roles();
    const victims = chooseVictims(drawn, { ids: this.#brokers.ids, partitions, controller });
    const fault = {
      number: drawn.number,
      kind: drawn.kind,
      victims,
      controller,
      atMs: performance.now(),
    };
    this.performed.push(fault);
    if (drawn.kind === "kill-while-paused") {
      await this.#killWhilePaused(fault, drawn, partitions);
    } else if (drawn.kind.startsWith("pause-")) {
      await this.#pause(victims[0], drawn.pauseMs);
    } else {
      await this.#kill(fault, victims, partitions);
      await this.#sleep(drawn.downMs);
      await this.#startInTurn(victims, drawn);
    }
    return fault;
  }

  async #roles() {
    let roles;
    await this.#observer.untilTrue(
      "a controller and every leader are known",
      async () => {
        const partitions = await this.#observer.partitions();
        const controller = await this.#observer.controller();
        roles = { partitions, controller };
        return controller >= 0 && partitions.every(({ leaderId }) => leaderId >= 0);
      },
      { timeoutMs: 30_000, signal: this.#signal },
    );
    return roles;
  }

  async #kill(fault, victims, partitions) {
    const fromMs = performance.now();
    await Promise.all(victims.map(async (id) => await this.#brokers.kill(id)));
    if (!this.#brokers.hasMajority) return;
    const sinceMs = performance.now();
    for (const { partition, leaderId } of partitions) {
      if (!victims.includes(leaderId)) continue;
      this.#availability.awaitWrite({
        what: "kill",
        fault: fault.number,
        partition,
        fromMs,
        sinceMs,
      });
    }
  }

  async #pause(id, pauseMs) {
    await this.#brokers.pause(id);
    try {
      await this.#sleep(pauseMs);
    } finally {
      await this.#brokers.resume(id);
    }
  }

  /** The paused one and the killed one come back independently of each other. */
  async #killWhilePaused(fault, drawn, partitions) {
    const [paused, killed] = fault.victims;
    const pausing = this.#pause(paused, drawn.pauseMs);
    const killing = async () => {
      await this.#sleep(drawn.gapMs);
      await this.#kill(fault, [killed], partitions);
      await this.#sleep(drawn.downMs);
      await this.#brokers.start(killed);
    };
    // Both, also when one is cut short: nobody may still act when this fault is over.
    const outcomes = await Promise.allSettled([pausing, killing()]);
    for (const { status, reason } of outcomes) if (status === "rejected") throw reason;
  }

  /** A majority comes back at once, whoever is left a little later. */
  async #startInTurn(victims, { staggerMs }) {
    for (const [at, id] of victims.entries()) {
      if (at > 0 && this.#brokers.hasMajority) await this.#sleep(staggerMs);
      await this.#brokers.start(id);
    }
  }

  async #sleep(ms) {
    await sleep(ms, undefined, { signal: this.#signal });
  }
}

/** Broker ids, in the order in which they are hit and come back. Pure. */
export function chooseVictims({ kind, order, partitionShare }, { ids, partitions, controller }) {
  const drawn = order.map((at) => ids[at]);
  const led = partitions[Math.floor(partitionShare * partitions.length)];
  const role = kind.slice(kind.indexOf("-") + 1);
  switch (role) {
    case "leader":
      return [led.leaderId];
    case "controller":
      return [controller];
    case "random":
      return [drawn[0]];
    case "two":
    case "while-paused":
      return drawn.slice(0, 2);
    case "all":
      return drawn;
    default:
      throw new Error(`no fault of the kind ${kind}`);
  }
}
