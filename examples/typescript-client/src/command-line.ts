/** What both programs take on the command line, and how both end when something fails. */
import { parseArgs } from "node:util";

export interface Arguments {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly count: number;
  readonly json: boolean;
}

export function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      brokers: { type: "string", default: "127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053" },
      topic: { type: "string", default: "hello" },
      count: { type: "string", default: "100" },
      json: { type: "boolean", default: false },
    },
  });
  const { brokers, topic, count, json } = values;
  return { brokers: brokers.split(","), topic, count: Number(count), json };
}

/**
 * Errors of the brokers (their name in the Kafka protocol's table) and of the client itself both
 * have `code` and `retriable`. The client has retried already: what is still retriable here took
 * longer than its timeouts allow.
 */
export function fail(error: unknown): void {
  process.exitCode = 1;
  if (!(error instanceof Error) || !("code" in error && "retriable" in error)) throw error;
  const hint = error.retriable ? "retriable: try again later" : "not retriable";
  console.error(`${error.code} (${hint}): ${error.message}`);
}
