/** What a writer was promised is held against the topic, once the faults are over and it has stopped. */
import { brokenPromises, readTopic } from "../lab/log-contents.mjs";

/** `fault` ends the sentence "no send fails …"; `figures` are told with it. */
export async function checkPromises(
  report,
  cluster,
  { writer, topic, partitions, fault, figures },
) {
  const { acknowledged, failed } = writer;
  report.check(
    `no send fails ${fault}`,
    failed.length === 0
      ? undefined
      : `${failed.length} sends failed, the first with: ${failed[0].message}`,
    figures,
  );
  const records = await readTopic(cluster.connect(), topic, partitions);
  report.check(
    "every acknowledged record is there, once and in order",
    brokenPromises(records, writer).join("; "),
    { acknowledged: acknowledged.length, read: records.length },
  );
}
