/**
 * Any broker serves any client: one that does not lead a partition forwards. So a client needs one
 * broker that answers, and when that one fails, the next.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type ServiceError, status } from "@grpc/grpc-js";
import { type Refusal, refusalOf } from "./protos.ts";

/** An election takes less than a second; nothing that retries can cure takes longer than this. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 250;

export class Failure extends Error {
  readonly code: string;
  readonly retriable: boolean;

  constructor({ code, message, retriable }: Refusal) {
    super(message);
    this.code = code;
    this.retriable = retriable;
  }
}

/**
 * Calls `attempt` with one address after another until it succeeds, fails for good, or has got
 * nowhere for too long. It calls `progress` whenever it got somewhere.
 */
export async function onAnyBroker<Result>(
  brokers: readonly string[],
  attempt: (address: string, progress: () => void) => Promise<Result>,
): Promise<Result> {
  let progressAt = performance.now();
  const progress = (): void => {
    progressAt = performance.now();
  };
  for (let count = 0; ; count += 1) {
    try {
      return await attempt(brokers[count % brokers.length] ?? "", progress);
    } catch (error) {
      const failure = failureOf(error);
      const isOver = performance.now() - progressAt > PATIENCE_MS;
      if (!failure.retriable || isOver) throw failure;
      await sleep(PAUSE_MS);
    }
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error && "metadata" in error)) throw error;
  const failed = error as ServiceError;
  const refusal = refusalOf(failed);
  if (refusal !== undefined) return new Failure(refusal);
  // No broker's words: the connection broke, or was never made.
  const retriable = failed.code === status.UNAVAILABLE || failed.code === status.DEADLINE_EXCEEDED;
  return new Failure({ code: status[failed.code], message: failed.details, retriable });
}

/** Runs a program, and says what stopped it. */
export async function run(program: () => Promise<void>): Promise<void> {
  try {
    await program();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const hint = error.retriable ? "retriable: try again later" : "not retriable";
    console.error(`${error.code} (${hint}): ${error.message}`);
    process.exitCode = 1;
  }
}
