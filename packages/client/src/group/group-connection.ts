/**
 * The stream of one member to some broker, opened anew at another when it breaks. What was read
 * before is then lost to the member, as others may have it meanwhile.
 */
import { BrokerError } from "@strandline/model";
import type { RpcStream } from "@strandline/platform";
import {
  type GroupConsumeRequest,
  type GroupConsumeResponse,
  type GroupOffset,
  groupsMethods,
} from "@strandline/rpc";
import { backoffMs } from "../backoff.js";
import type { ResolvedClientOptions } from "../client-options.js";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import { startPosition } from "../cluster/offset-finder.js";
import { DeadlineTimer } from "../deadline-timer.js";
import { asError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import type { ResolvedGroupConsumerOptions } from "./group-consumer-options.js";

export interface GroupConnectionOptions {
  readonly client: ResolvedClientOptions;
  readonly group: ResolvedGroupConsumerOptions;
}

export interface GroupConnectionOwner {
  onMessage(message: GroupConsumeResponse): void;
  /** The member has left its group; it comes back by itself. */
  onLost(error: Error): void;
  /** It cannot come back. */
  onRefused(error: BrokerError): void;
  /** The last message has come, after `end`. */
  onEnded(): void;
}

export class GroupConnection {
  readonly #ports: ClientPorts;
  readonly #options: GroupConnectionOptions;
  readonly #cluster: ClusterConnection;
  readonly #owner: GroupConnectionOwner;
  readonly #timer: DeadlineTimer;
  #stream: RpcStream<GroupConsumeRequest> | undefined;
  #address = "";
  #failures = 0;
  #isEnding = false;

  constructor(
    ports: ClientPorts,
    options: GroupConnectionOptions,
    parts: { readonly cluster: ClusterConnection; readonly owner: GroupConnectionOwner },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#cluster = parts.cluster;
    this.#owner = parts.owner;
    this.#timer = new DeadlineTimer(ports, () => this.#open());
  }

  start(): void {
    this.#open();
  }

  /** False when there is no stream to send it on. */
  send(request: GroupConsumeRequest): boolean {
    this.#stream?.send(request);
    return this.#stream !== undefined;
  }

  commit(correlationId: number, offsets: readonly GroupOffset[]): boolean {
    return this.send({ commit: { correlationId, offsets } });
  }

  /** Says goodbye: `onEnded` follows, at once when there is no stream. */
  end(): void {
    this.#isEnding = true;
    this.#timer.close();
    if (this.#stream === undefined) this.#owner.onEnded();
    else this.#stream.end();
  }

  /** Lets go of everything at once. Idempotent. */
  close(): void {
    this.#isEnding = true;
    this.#timer.close();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.abort();
  }

  #open(): void {
    const { group, client } = this.#options;
    // A broker that refuses or breaks is passed over, so that the next one gets its turn.
    const [address = ""] = this.#cluster.addresses.candidates();
    this.#address = address;
    const stream: RpcStream<GroupConsumeRequest> = this.#ports.transport.open(
      address,
      groupsMethods.consume,
      {
        onMessage: (message) => {
          if (this.#stream !== stream) return;
          this.#failures = 0;
          this.#cluster.addresses.noteReachable(address);
          this.#owner.onMessage(message);
        },
        onEnd: (error) => {
          if (this.#stream === stream) this.#ended(error);
        },
      },
    );
    this.#stream = stream;
    stream.send({
      join: {
        groupId: group.groupId,
        topics: group.topics,
        instanceId: group.instanceId,
        clientId: client.clientId,
        sessionTimeoutMs: group.sessionTimeoutMs,
        rebalanceTimeoutMs: group.rebalanceTimeoutMs,
        start: startPosition(group.start),
        assignors: group.assignors,
        asBatches: true,
        bytesMax: group.consumer.fetchBytesMax,
        windowBytes: group.consumer.prefetchBytesMax,
      },
    });
  }

  #ended(error: Error | undefined): void {
    this.#stream = undefined;
    if (this.#isEnding) {
      this.#owner.onEnded();
      return;
    }
    if (error instanceof BrokerError && !error.retriable && error.code !== "UNKNOWN_SERVER_ERROR") {
      this.#owner.onRefused(error);
      return;
    }
    if (error instanceof BrokerError) this.#cluster.addresses.passOver(this.#address);
    else this.#cluster.addresses.noteUnreachable(this.#address);
    this.#owner.onLost(asError(error ?? "the broker ended the stream"));
    this.#failures += 1;
    const waitMs = backoffMs(this.#ports.random, this.#options.client, this.#failures);
    this.#timer.arm(this.#ports.clock.monotonicMs() + waitMs);
  }
}
