/**
 * First contact between controllers. A node whose raft state is empty may be new, or may have lost
 * its disk; only the others can tell. It takes part once a majority has told it that the cluster is
 * as new as itself, or someone has told it that the cluster does not know it under another disk.
 */
import { BrokerError, type DirectoryId, type NodeId } from "@strandline/model";
import type { Logger, Timers, Transport } from "@strandline/platform";
import { type HelloResponse, raftMethods } from "@strandline/rpc";

const HELLO_TIMEOUT_MS = 2_000;
const RETRY_MS = 100;
const KNOWN_RETRY_MS = 1_000;

export interface Introduction {
  readonly nodeId: NodeId;
  readonly directoryId: DirectoryId;
  /** Empty when this node has none yet. */
  readonly clusterId: string;
  readonly voters: readonly { readonly id: NodeId; readonly address: string }[];
  readonly replaceDirectory: boolean;
  /** It has taken part before: nothing is to be decided, but everyone may refuse it. */
  readonly isKnown: boolean;
}

/** What a node must respect before it takes part. */
export interface Admission {
  /** Highest term anyone has seen; the node must not vote in it again. 0 in a new cluster. */
  readonly term: number;
  /** Until its log has reached this index, the node neither votes nor campaigns. */
  readonly silentUntilIndex: number;
}

/**
 * Asks until the answer is clear. Rejects with the refusal that the operator must see.
 * `isOver` ends the asking when the node is closed meanwhile.
 */
export async function introduce(
  ports: { transport: Transport; timers: Timers; logger: Logger },
  introduction: Introduction,
  isOver: () => boolean,
): Promise<Admission> {
  const others = introduction.voters.filter((voter) => voter.id !== introduction.nodeId);
  const majority = Math.floor(introduction.voters.length / 2) + 1;
  for (let attempt = 0; !isOver(); attempt += 1) {
    const answers = await Promise.all(
      others.map(async (voter) => await hello(ports.transport, voter.address, introduction)),
    );
    const heard = answers.filter((answer) => answer !== undefined);
    const verdict = judge(introduction, heard, { majority, others: others.length });
    if (verdict !== undefined) return verdict;
    if (attempt === 20 && !introduction.isKnown) {
      ports.logger.warn(
        { voters: others.map((voter) => voter.address), heard: heard.length },
        "waits for a majority of the controllers",
      );
    }
    await new Promise<void>((resolve) => {
      ports.timers.after(introduction.isKnown ? KNOWN_RETRY_MS : RETRY_MS, resolve);
    });
  }
  throw new BrokerError("BROKER_NOT_AVAILABLE", "this controller is stopping");
}

/** Undefined: not clear yet. Throws the refusal. */
function judge(
  introduction: Introduction,
  heard: readonly HelloResponse[],
  counts: { majority: number; others: number },
): Admission | undefined {
  // Only the active controller hears brokers: its word on who is alive comes first.
  const ordered = [...heard].sort((a, b) => Number(b.isAlive) - Number(a.isAlive));
  for (const answer of ordered) checkIdentity(introduction, answer);
  const term = Math.max(0, ...heard.map((answer) => answer.term));
  const lastIndex = Math.max(0, ...heard.map((answer) => answer.lastIndex));
  if (introduction.isKnown) {
    return heard.length === counts.others ? { term: 0, silentUntilIndex: 0 } : undefined;
  }
  if (introduction.replaceDirectory) {
    // What the lost disk had acknowledged, one of the others holds: it must be heard.
    return heard.length === counts.others ? { term, silentUntilIndex: lastIndex } : undefined;
  }
  const knows = heard.some((answer) => answer.clusterId !== "");
  if (knows || heard.length + 1 >= counts.majority) return { term: 0, silentUntilIndex: 0 };
  return undefined;
}

function checkIdentity(introduction: Introduction, answer: HelloResponse): void {
  const { nodeId, clusterId, directoryId } = introduction;
  if (clusterId !== "" && answer.clusterId !== "" && answer.clusterId !== clusterId) {
    throw new BrokerError(
      "INCONSISTENT_CLUSTER_ID",
      `node ${answer.nodeId} belongs to cluster ${answer.clusterId}, this data directory to ${clusterId}; ` +
        "give this node the voters of its own cluster, or an empty data directory to join that one",
    );
  }
  const known = answer.knownDirectoryId;
  if (known === "" || known === directoryId) return;
  if (answer.isAlive) {
    throw new BrokerError(
      "DUPLICATE_BROKER_REGISTRATION",
      `node id ${nodeId} is in use by another process${answer.knownAddress === "" ? "" : ` at ${answer.knownAddress}`}; ` +
        "give this node an id of its own with --node-id, or stop the other one",
    );
  }
  if (introduction.replaceDirectory) return;
  throw new BrokerError(
    "INVALID_REGISTRATION",
    `the cluster knows node ${nodeId} with another data directory (${known}), and this one is new; ` +
      "start it with its old directory, or, if that disk is lost, with --replace-directory; " +
      "if it is a node of its own, give it another --node-id",
  );
}

async function hello(
  transport: Transport,
  address: string,
  introduction: Introduction,
): Promise<HelloResponse | undefined> {
  try {
    return await transport.call(
      address,
      raftMethods.hello,
      {
        nodeId: introduction.nodeId,
        directoryId: introduction.directoryId,
        clusterId: introduction.clusterId,
        replaceDirectory: introduction.replaceDirectory,
      },
      { timeoutMs: HELLO_TIMEOUT_MS },
    );
  } catch (error) {
    // A refusal is an answer for the operator; silence is not.
    if (error instanceof BrokerError && !error.retriable) throw error;
    return undefined;
  }
}
