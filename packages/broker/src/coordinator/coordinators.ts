/**
 * The shards of one internal topic that this broker coordinates: one for each partition it leads,
 * made when a leadership begins and gone when it ends.
 */
import type { MetadataImage } from "@strandline/metadata";
import { BrokerError, type TopicId } from "@strandline/model";
import type { Partition } from "../partition/partition.js";
import type { Partitions } from "../partition/partitions.js";
import type { Shard } from "./shard.js";
import { ShardRunner, type ShardRunnerPorts, type SubmitOptions } from "./shard-runner.js";

/** A shard that was thrown away is loaded again, not at once: what refused it may last. */
const RELOAD_MS = 200;

export interface CoordinatorsParts<Command, Response> {
  /** Name of the internal topic. */
  readonly topic: string;
  readonly partitions: Partitions;
  image(): MetadataImage;
  newShard(): Shard<Command, Response>;
}

export class Coordinators<Command, Response> {
  readonly #ports: ShardRunnerPorts;
  readonly #parts: CoordinatorsParts<Command, Response>;
  /** By the key of the partition, which holds the topic's id: a new topic has other shards. */
  readonly #runners = new Map<string, ShardRunner<Command, Response>>();
  #isClosed = false;

  constructor(ports: ShardRunnerPorts, parts: CoordinatorsParts<Command, Response>) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** A leadership of this broker has begun, of any topic. */
  led(partition: Partition): void {
    if (this.#isClosed || partition.topicId !== this.#topicId()) return;
    const leader = partition.leader;
    if (leader === undefined) return;
    const before = this.#runners.get(partition.key);
    if (before?.epoch === leader.epoch && !before.isStopped) return;
    before?.stop("another leadership has begun");
    const runner = new ShardRunner(this.#ports, this.#parts.newShard(), {
      partition,
      epoch: leader.epoch,
      onStopped: (isRefused) => this.#stopped(partition, runner, isRefused),
    });
    this.#runners.set(partition.key, runner);
    // Never rejects: a failed load stops the runner.
    void runner.load();
  }

  /** Runs a command on the shard of one partition. Throws what `ShardRunner.submit` throws. */
  async submit(partition: number, command: Command, options: SubmitOptions): Promise<Response> {
    return await this.#runner(partition).submit(command, options);
  }

  /** Partitions that this broker coordinates, or is about to. */
  coordinated(): number[] {
    const topicId = this.#topicId();
    const states = this.#parts.image().topics.get(topicId as TopicId)?.partitions ?? [];
    return states.flatMap((state, index) => {
      return state.leader === this.#parts.partitions.nodeId ? [index] : [];
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const runner of [...this.#runners.values()]) runner.stop("this broker is stopping");
    this.#runners.clear();
  }

  #topicId(): TopicId | undefined {
    return this.#parts.image().topicIds.get(this.#parts.topic);
  }

  #runner(index: number): ShardRunner<Command, Response> {
    const topicId = this.#topicId();
    const state =
      topicId === undefined
        ? undefined
        : this.#parts.image().topics.get(topicId)?.partitions[index];
    if (topicId === undefined || state?.leader !== this.#parts.partitions.nodeId) {
      throw new BrokerError("NOT_COORDINATOR", "another broker is the coordinator");
    }
    const partition = this.#parts.partitions.get(topicId, index);
    const runner = partition === undefined ? undefined : this.#runners.get(partition.key);
    if (runner === undefined || runner.isStopped) {
      throw new BrokerError("COORDINATOR_LOAD_IN_PROGRESS", "the coordinator is being loaded");
    }
    return runner;
  }

  #stopped(partition: Partition, runner: ShardRunner<Command, Response>, isRefused: boolean): void {
    const isOurs = this.#runners.get(partition.key) === runner;
    if (isOurs) this.#runners.delete(partition.key);
    if (!isRefused || !isOurs) return;
    this.#ports.timers.after(RELOAD_MS, () => this.led(partition));
  }
}
