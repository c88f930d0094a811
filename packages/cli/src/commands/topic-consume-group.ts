/** `strandline topic consume --group`: as a member of a consumer group, from where it has come. */
import type { ConsumerRecord, GroupConsumerOptions, StrandlineClient } from "@strandline/client";
import { CommandError, EXIT } from "../exit-codes.js";
import { writeData } from "../output.js";
import type { StartPosition } from "../start-position.js";

export interface GroupConsumption {
  readonly topic: string;
  readonly groupId: string;
  readonly start: StartPosition;
  readonly countMax: number;
  readonly signal: AbortSignal;
  readonly print: (record: ConsumerRecord) => Uint8Array;
}

/** Prints records until there are enough or the signal fires, and commits what was printed. */
export async function consumeAsMember(
  client: StrandlineClient,
  { topic, groupId, start, countMax, signal, print }: GroupConsumption,
): Promise<number> {
  const options = { groupId, topics: [topic], start: startOf(start) };
  // Printed batches are done when the next one is asked for; the last one is told by hand.
  const member = client.groupConsumer(options);
  let printed = 0;
  let last: ConsumerRecord | undefined;
  try {
    for await (const batch of member.batches({ signal })) {
      const records = batch.records.slice(0, countMax - printed);
      await writeData(Buffer.concat(records.map(print)));
      printed += records.length;
      last = records.at(-1);
      if (printed >= countMax) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (last !== undefined) await tryCommit(member, last);
    await member.close();
  }
  return printed;
}

/** A partition may have been taken away meanwhile: then its records come to another member. */
async function tryCommit(
  member: ReturnType<StrandlineClient["groupConsumer"]>,
  { topic, partition, offset }: ConsumerRecord,
): Promise<void> {
  await member.commit([{ topic, partition, offset: offset + 1 }]).catch(() => {});
}

function startOf(start: StartPosition): NonNullable<GroupConsumerOptions["start"]> {
  if (start.kind === "timestamp") return { timestampMs: start.timestampMs };
  if (start.kind === "earliest" || start.kind === "latest") return start.kind;
  throw new CommandError(EXIT.usage, "a group goes on where it has committed", {
    hint: "-o says where a new one begins: beginning, end or s@<ms>; `group seek` moves an old one",
  });
}
