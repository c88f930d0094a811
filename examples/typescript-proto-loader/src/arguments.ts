/** What both programs take on the command line. */
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
