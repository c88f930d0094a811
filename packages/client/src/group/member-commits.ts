/** What a member tells its group of how far it has come: when it is asked to, and now and then. */
import { BrokerError } from "@strandline/model";
import { errorFromProto, type GroupCommitted, type GroupOffset } from "@strandline/rpc";
import type { TopicPartitionName } from "../consumer/consumer-record.js";
import { DeadlineTimer } from "../deadline-timer.js";
import { type Deferred, deferred } from "../deferred.js";
import { asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { DoneOffsets } from "./done-offsets.js";
import type { ResolvedGroupConsumerOptions } from "./group-consumer-options.js";

export interface MemberCommitsOwner {
  /** False when there is no broker to send it to. */
  readonly send: (correlationId: number, offsets: readonly GroupOffset[]) => boolean;
  /** A commit failed as none should. */
  readonly onFailed: (error: Error) => void;
}

export class MemberCommits {
  readonly done = new DoneOffsets();
  readonly #ports: ClientPorts;
  readonly #options: ResolvedGroupConsumerOptions;
  readonly #owner: MemberCommitsOwner;
  readonly #timer: DeadlineTimer;
  /** By correlation id: those that the broker has not answered. */
  readonly #waiting = new Map<number, Deferred<GroupCommitted>>();
  #correlationId = 0;

  constructor(
    ports: ClientPorts,
    options: ResolvedGroupConsumerOptions,
    owner: MemberCommitsOwner,
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#owner = owner;
    this.#timer = new DeadlineTimer(ports, () => this.#due());
  }

  /** True when what is done is committed without being told to. */
  get isAutomatic(): boolean {
    return this.#options.autoCommitMs > 0;
  }

  /** Begins to commit now and then, if that is wanted. */
  start(): void {
    const { autoCommitMs } = this.#options;
    if (this.isAutomatic) this.#timer.arm(this.#ports.clock.monotonicMs() + autoCommitMs);
  }

  /** Stops to commit now and then. */
  stop(): void {
    this.#timer.close();
  }

  /** Commits these; what is done, unless they are given. Throws the refusal, and `UNAVAILABLE`. */
  async commit(offsets: readonly GroupOffset[] = this.done.uncommitted()): Promise<void> {
    if (offsets.length === 0) return;
    const correlationId = ++this.#correlationId;
    const answer = deferred<GroupCommitted>();
    if (!this.#owner.send(correlationId, offsets)) {
      throw new ClientError("UNAVAILABLE", "the member has no broker now");
    }
    this.#waiting.set(correlationId, answer);
    const { error, refusals } = await answer.promise;
    if (error !== undefined) throw errorFromProto(error);
    const refused = refusals.find((refusal) => refusal.error !== undefined)?.error;
    if (refused !== undefined) throw errorFromProto(refused);
    this.done.committed(offsets);
  }

  /** Commits what is done; what cannot be now is committed later, or handed out again. */
  async tryCommit(partitions?: readonly TopicPartitionName[]): Promise<void> {
    try {
      await this.commit(this.done.uncommitted(partitions));
    } catch (error) {
      if (!(error instanceof BrokerError) && !(error instanceof ClientError)) throw error;
      const { groupId } = this.#options;
      this.#ports.logger.warn({ groupId, error: error.message }, "not committed");
    }
  }

  answered(committed: GroupCommitted): void {
    this.#waiting.get(committed.correlationId)?.resolve(committed);
    this.#waiting.delete(committed.correlationId);
  }

  /** The broker is gone, and with it the answers. */
  lost(error: Error): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new ClientError("UNAVAILABLE", "the stream broke: nobody knows", { cause: error }));
    }
    this.#waiting.clear();
  }

  #due(): void {
    this.tryCommit()
      .catch((error: unknown) => this.#owner.onFailed(asError(error)))
      .finally(() => this.start());
  }
}
