/** Waits until every broker of a cluster serves and every partition has a leader. */
import type { StrandlineClient } from "@strandline/client";

const POLL_MS = 50;
const CALL_MS = 1_000;

export type Readiness = "healthy" | "timeout" | "cancelled";

/** Polls until healthy, or until `timeoutMs` has passed. `cancel` ends the waiting. */
export function untilHealthy(
  addresses: readonly string[],
  timeoutMs: number,
): { done: Promise<Readiness>; cancel(): void } {
  let isCancelled = false;
  const poll = async (): Promise<Readiness> => {
    const deadlineMs = performance.now() + timeoutMs;
    // Loaded when it is used: every command passes here at its start, each node of a cluster too.
    const { connect } = await import("@strandline/client");
    const client = connect({ bootstrap: addresses, requestTimeoutMs: CALL_MS });
    try {
      while (!isCancelled) {
        if (await isHealthy(client, addresses.length)) return "healthy";
        if (performance.now() > deadlineMs) return "timeout";
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return "cancelled";
    } finally {
      await client.close();
    }
  };
  return {
    done: poll(),
    cancel: () => {
      isCancelled = true;
    },
  };
}

async function isHealthy(client: StrandlineClient, brokers: number): Promise<boolean> {
  try {
    const cluster = await client.admin.describeCluster();
    const serving = cluster.nodes.filter((node) => !node.fenced).length;
    return cluster.controllerId >= 0 && serving >= brokers && cluster.partitionsWithoutLeader === 0;
  } catch {
    // Nobody answers yet.
    return false;
  }
}
