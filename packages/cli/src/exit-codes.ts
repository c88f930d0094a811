/** What the process's exit code says. Documented in the README; scripts rely on it. */
import { BrokerError, type ErrorCode } from "@strandline/model";

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 5,
  unhealthy: 6,
  interrupted: 130,
} as const;

/** A failure with words for the person and a code for the script. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;
  /** What to do about it; undefined when the message says it all. */
  readonly hint: string | undefined;

  constructor(exitCode: number, message: string, options: ErrorOptions & { hint?: string } = {}) {
    super(message, options);
    this.exitCode = exitCode;
    this.hint = options.hint;
  }
}

const NOT_FOUND: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_TOPIC_ID",
  "GROUP_ID_NOT_FOUND",
]);

const UNREACHABLE: ReadonlySet<string> = new Set([
  "REQUEST_TIMED_OUT",
  "BROKER_NOT_AVAILABLE",
  "NETWORK_EXCEPTION",
  "UNAVAILABLE",
  "DELIVERY_TIMED_OUT",
]);

/** Exit code of any error that a command ended with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof BrokerError && NOT_FOUND.has(error.code)) return EXIT.notFound;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (UNREACHABLE.has(code)) return EXIT.unreachable;
  if (code === "INVALID_ARGUMENT") return EXIT.usage;
  return EXIT.failed;
}

/** One line for the cause, one for what to do where that is known. */
export function describeError(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  const lines = [`${error.message}${code}`];
  const hint = error instanceof CommandError ? error.hint : HINTS[code.slice(2, -1)];
  if (hint !== undefined) lines.push(`hint: ${hint}`);
  return lines;
}

const HINTS: Readonly<Record<string, string>> = {
  UNAVAILABLE: "is the cluster running? `strandline up` starts one; --brokers says where it is",
  UNKNOWN_TOPIC_OR_PARTITION: "`strandline topic list` shows the topics; `topic create` makes one",
  GROUP_ID_NOT_FOUND: "`strandline group list` shows the groups",
  NON_EMPTY_GROUP: "`strandline group describe --members` shows who is in it",
  NOT_ENOUGH_REPLICAS: "`strandline cluster health` shows which brokers are missing",
  TOPIC_ALREADY_EXISTS: "`strandline topic describe` shows it",
};
