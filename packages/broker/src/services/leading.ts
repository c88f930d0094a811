/**
 * Waits until the leaders of a topic lead: whoever created it may write at once. Each leader is
 * asked once, for all it leads, and answers when it does.
 */
import type { Topic } from "@strandline/metadata";
import type { NodeId } from "@strandline/model";
import type { Clock, Timers, Transport } from "@strandline/platform";
import {
  type AwaitLeadingRequest,
  type AwaitLeadingResponse,
  replicationMethods,
} from "@strandline/rpc";
import type { Partitions } from "../partition/partitions.js";
import type { Directory } from "./directory.js";

const TIMEOUT_MS_MAX = 30_000;
/** What the answer may take on its way beyond the time that was asked for. */
const ANSWER_MS_MAX = 500;
/** A leader that could not be asked may be on its way, or another one now. */
const RETRY_MS = 100;

export interface LeadingParts {
  readonly directory: Directory;
  readonly partitions: Partitions;
  untilMetadata(offset: number, timeoutMs: number): Promise<void>;
}

export class LeadingService {
  readonly #ports: { clock: Clock; timers: Timers; transport: Transport };
  readonly #parts: LeadingParts;

  constructor(ports: { clock: Clock; timers: Timers; transport: Transport }, parts: LeadingParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** For the other brokers: this broker's own partitions. */
  async own(request: AwaitLeadingRequest): Promise<AwaitLeadingResponse> {
    const { clock } = this.#ports;
    const deadlineMs = clock.monotonicMs() + Math.min(request.timeoutMs, TIMEOUT_MS_MAX);
    await this.#parts.untilMetadata(request.metadataOffset, deadlineMs - clock.monotonicMs());
    const leftMs = Math.max(0, deadlineMs - clock.monotonicMs());
    const topicId = request.topicId as Topic["id"];
    return { isLeading: await this.#parts.partitions.untilLeading(topicId, leftMs) };
  }

  /** Resolves when the topic is led, does not exist any more, or `timeoutMs` is over. */
  async until(name: string, timeoutMs: number): Promise<void> {
    const { clock, timers } = this.#ports;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - clock.monotonicMs();
      const { image } = this.#parts.directory;
      const id = image.topicIds.get(name);
      const topic = id === undefined ? undefined : image.topics.get(id);
      if (topic === undefined || leftMs <= 0) return;
      if (await this.#isLed(topic, leftMs)) return;
      await new Promise<void>((resolve) => {
        timers.after(RETRY_MS, resolve);
      });
    }
  }

  async #isLed(topic: Topic, timeoutMs: number): Promise<boolean> {
    const leaders = new Set(topic.partitions.map(({ leader }) => leader));
    const answers = await Promise.all(
      [...leaders].map(async (leader) => await this.#leads(topic, leader, timeoutMs)),
    );
    return answers.every((isLeading) => isLeading);
  }

  async #leads(topic: Topic, leader: NodeId | -1, timeoutMs: number): Promise<boolean> {
    if (leader === -1) return false;
    const { directory } = this.#parts;
    const request = {
      topicId: topic.id,
      metadataOffset: directory.image.offset,
      timeoutMs: Math.ceil(timeoutMs),
    };
    try {
      if (leader === directory.nodeId) return (await this.own(request)).isLeading;
      const address = directory.image.nodes.get(leader)?.peerAddress;
      if (address === undefined) return false;
      const answer = await this.#ports.transport.call(
        address,
        replicationMethods.awaitLeading,
        request,
        { timeoutMs: timeoutMs + ANSWER_MS_MAX },
      );
      return answer.isLeading;
    } catch {
      return false;
    }
  }
}
