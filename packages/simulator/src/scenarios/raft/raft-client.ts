/** A client of the raft scenario: proposes one command after the other until each is accepted. */
import type { NodePorts } from "../../node-ports.js";
import { RAFT_GROUP, raftNodeName } from "./raft-server.js";
import { proposeMethod, RAFT_PORT } from "./raft-wire.js";

const TIMEOUT_MS = 3_000;
const RETRY_MS_MAX = 100;

export class RaftClient {
  readonly #ports: NodePorts;
  readonly #voters: readonly number[];
  #acknowledgedCount = 0;
  #isStopped = false;

  constructor(ports: NodePorts, voters: readonly number[]) {
    this.#ports = ports;
    this.#voters = voters;
  }

  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    const { host, random } = this.#ports;
    for (let number = 0; !this.#isStopped; number++) {
      await this.#proposeUntilAccepted(`${host}/${number}`);
      await this.#pass(random.below(20));
    }
  }

  async #proposeUntilAccepted(payload: string): Promise<void> {
    const { random, transport, observe } = this.#ports;
    let target = random.below(this.#voters.length);
    while (!this.#isStopped) {
      const address = `${raftNodeName(this.#voters[target] ?? 0)}:${RAFT_PORT}`;
      try {
        const options = { timeoutMs: TIMEOUT_MS };
        const { offset } = await transport.call(address, proposeMethod, { payload }, options);
        this.#acknowledgedCount++;
        observe({ kind: "acknowledged", partition: RAFT_GROUP, offset, payload });
        return;
      } catch {
        // Whatever went wrong: to propose again is safe, for a command takes effect once.
        target = random.below(this.#voters.length);
        await this.#pass(random.below(RETRY_MS_MAX));
      }
    }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.timers.after(ms, resolve);
    });
  }
}
