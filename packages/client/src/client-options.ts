/** Settings that producers, consumers and admin of one client share. */
import { INT32_MAX } from "@strandline/model";
import { ClientError } from "./errors.js";

export interface ClientOptions {
  /** Addresses ("host:port") to begin with; any one that answers tells of the others. */
  readonly bootstrap: readonly string[];
  /** Name of this client in its own log lines. */
  readonly clientId?: string | undefined;
  /** Longest that one request may take, with its retries. Milliseconds. */
  readonly requestTimeoutMs?: number | undefined;
  /** Wait before the first retry; doubles up to `retryBackoffMsMax`, with jitter. Milliseconds. */
  readonly retryBackoffMs?: number | undefined;
  readonly retryBackoffMsMax?: number | undefined;
  /** How long a topic may be unknown before that is an error: brokers learn late. Milliseconds. */
  readonly topicWaitMs?: number | undefined;
  /** Age at which metadata in use is asked for again. Milliseconds. */
  readonly metadataAgeMsMax?: number | undefined;
}

export interface ResolvedClientOptions {
  readonly bootstrap: readonly string[];
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMsMax: number;
  readonly topicWaitMs: number;
  readonly metadataAgeMsMax: number;
}

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that lists every problem. */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const resolved: ResolvedClientOptions = {
    bootstrap: [...options.bootstrap],
    clientId: options.clientId ?? "strandline-client",
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    retryBackoffMs: options.retryBackoffMs ?? 100,
    retryBackoffMsMax: options.retryBackoffMsMax ?? 1_000,
    topicWaitMs: options.topicWaitMs ?? 5_000,
    metadataAgeMsMax: options.metadataAgeMsMax ?? 300_000,
  };
  const problems: string[] = [];
  if (resolved.bootstrap.length === 0) problems.push("bootstrap must name at least one address");
  for (const address of resolved.bootstrap) {
    if (!/^.+:\d{1,5}$/.test(address)) problems.push(`"${address}" is not of the form host:port`);
  }
  requirePositive(problems, "requestTimeoutMs", resolved.requestTimeoutMs);
  requirePositive(problems, "retryBackoffMs", resolved.retryBackoffMs);
  requirePositive(problems, "metadataAgeMsMax", resolved.metadataAgeMsMax);
  requirePositive(problems, "retryBackoffMsMax", resolved.retryBackoffMsMax);
  requireNotNegative(problems, "topicWaitMs", resolved.topicWaitMs);
  if (!(resolved.retryBackoffMsMax >= resolved.retryBackoffMs)) {
    problems.push("retryBackoffMsMax must be at least retryBackoffMs");
  }
  refuseProblems(problems);
  return resolved;
}

/** Adds a problem unless `value` is above 0 and no more than a timer or an int32 can take. */
export function requirePositive(problems: string[], name: string, value: number): void {
  if (!(value > 0 && value <= INT32_MAX)) {
    problems.push(`${name} must be above 0 and at most ${INT32_MAX}`);
  }
}

/** As `requirePositive`, and 0 is fine too. */
export function requireNotNegative(problems: string[], name: string, value: number): void {
  if (value !== 0) requirePositive(problems, name, value);
}

/** Throws when there are problems, all of them in one message. */
export function refuseProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new ClientError("INVALID_ARGUMENT", problems.join("; "));
}
