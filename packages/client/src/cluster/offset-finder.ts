/** Turns a start such as "latest" into an offset, once: a stream that is opened anew must not. */
import type { BrokerError } from "@strandline/model";
import { errorFromProto, logMethods, type OffsetAnswer, type StartPosition } from "@strandline/rpc";
import { backoffMs } from "../backoff.js";
import type { ResolvedClientOptions } from "../client-options.js";
import { ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { sleep } from "../waits.js";
import type { BrokerCaller } from "./broker-caller.js";

/**
 * Where to begin: at the first record, after the last, at an offset, or at the first record whose
 * timestamp is at least so late, which is after the last when there is none.
 */
export type StartAt =
  | "earliest"
  | "latest"
  | { readonly offset: number }
  | { readonly timestampMs: number };

export interface OffsetQuestion {
  readonly partition: number;
  readonly position: StartAt;
}

export interface FoundOffset {
  readonly partition: number;
  /** -1 when no record is as late as the asked time. */
  readonly offset: number;
  /** Of the record found; -1 for the ends. */
  readonly timestampMs: number;
  readonly leaderEpoch: number;
}

export interface OffsetWait {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const POLICY = { isRepeatable: true, mayLag: true } as const;

export class OffsetFinder {
  readonly #ports: ClientPorts;
  readonly #options: ResolvedClientOptions;
  readonly #caller: BrokerCaller;

  constructor(ports: ClientPorts, options: ResolvedClientOptions, caller: BrokerCaller) {
    this.#ports = ports;
    this.#options = options;
    this.#caller = caller;
  }

  /**
   * Answers in the order of the questions. Partitions that have no leader just now are asked for
   * again until the deadline; then their refusal is thrown.
   */
  async find(
    topic: string,
    questions: readonly OffsetQuestion[],
    wait: OffsetWait = {},
  ): Promise<readonly FoundOffset[]> {
    const timeoutMs = wait.timeoutMs ?? this.#options.requestTimeoutMs;
    const startMs = this.#ports.clock.monotonicMs();
    const deadlineMs = startMs + timeoutMs;
    // A partition that was just added may be unknown to some broker, but not for long.
    const knownByMs = startMs + this.#options.topicWaitMs;
    const found = new Map<OffsetQuestion, FoundOffset>();
    for (let failures = 1; ; failures++) {
      const open = questions.filter((question) => !found.has(question));
      const leftMs = deadlineMs - this.#ports.clock.monotonicMs();
      const refusal = await this.#ask(topic, open, { found, leftMs, signal: wait.signal });
      if (refusal === undefined) return questions.flatMap((each) => found.get(each) ?? []);
      const pauseMs = backoffMs(this.#ports.random, this.#options, failures);
      const limitMs = refusal.code === "UNKNOWN_TOPIC_OR_PARTITION" ? knownByMs : deadlineMs;
      const isLate = this.#ports.clock.monotonicMs() + pauseMs >= Math.min(limitMs, deadlineMs);
      if (isLate || !refusal.retriable) throw refusal;
      await sleep(this.#ports.timers, pauseMs, wait.signal);
    }
  }

  /** The offset at which to begin to read. */
  async startOffsets(
    topic: string,
    questions: readonly OffsetQuestion[],
    wait: OffsetWait = {},
  ): Promise<readonly number[]> {
    const found = await this.find(topic, questions, wait);
    const offsets = found.map((each) => each.offset);
    const late = questions.filter((_question, at) => offsets[at] === -1);
    if (late.length === 0) return offsets;
    // No record is that late: begin with the next one that comes.
    const ends = await this.find(
      topic,
      late.map(({ partition }) => ({ partition, position: "latest" as const })),
      wait,
    );
    const endOf = new Map(ends.map((each) => [each.partition, each.offset]));
    return found.map((each) =>
      each.offset === -1 ? (endOf.get(each.partition) ?? 0) : each.offset,
    );
  }

  /** Puts the answers into `found`; returns one of the refusals, if any. */
  async #ask(
    topic: string,
    questions: readonly OffsetQuestion[],
    context: {
      readonly found: Map<OffsetQuestion, FoundOffset>;
      readonly leftMs: number;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<BrokerError | undefined> {
    if (questions.length === 0) return undefined;
    const queries = questions.map(({ partition, position }) => ({
      partition,
      position: startPosition(position),
    }));
    const response = await this.#caller.call(
      logMethods.listOffsets,
      { topic, queries, forwarded: false },
      POLICY,
      { timeoutMs: Math.max(context.leftMs, 1), signal: context.signal },
    );
    let refusal: BrokerError | undefined;
    const answerOf = new Map<number, OffsetAnswer[]>();
    for (const answer of response.answers) {
      const answers = answerOf.get(answer.partition) ?? [];
      answers.push(answer);
      answerOf.set(answer.partition, answers);
    }
    for (const question of questions) {
      const answer = answerOf.get(question.partition)?.shift();
      if (answer === undefined) throw noAnswer(topic, question.partition);
      if (answer.error === undefined) context.found.set(question, answer);
      else refusal ??= errorFromProto(answer.error);
    }
    return refusal;
  }
}

export function startPosition(start: StartAt): StartPosition {
  if (start === "earliest") return { earliest: true };
  if (start === "latest") return { latest: true };
  return "offset" in start ? { offset: start.offset } : { timestampMs: start.timestampMs };
}

function noAnswer(topic: string, partition: number): ClientError {
  return new ClientError("UNAVAILABLE", `the broker said nothing about ${topic}-${partition}`);
}
