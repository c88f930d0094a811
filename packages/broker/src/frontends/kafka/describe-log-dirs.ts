/** DescribeLogDirs: what the replicas of this broker take on its disk. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import type { AdminHandlerParts } from "./admin-handlers.js";
import type { KafkaHandler } from "./handler.js";

type Request = RequestOf<ServedApis["DescribeLogDirs"]>;
type Directory = OutgoingResponseOf<ServedApis["DescribeLogDirs"]>["results"][number];
type Topic = Directory["topics"][number];

export function describeLogDirsHandler({
  logDirs,
}: Pick<AdminHandlerParts, "logDirs">): KafkaHandler<"DescribeLogDirs"> {
  return async ({ topics }) => {
    const isWanted = filterOf(topics);
    const byName = new Map<string, Topic & { partitions: Topic["partitions"][number][] }>();
    for (const { topic, partition, sizeBytes, offsetLag } of logDirs.replicas()) {
      if (!isWanted(topic, partition)) continue;
      const known = byName.get(topic) ?? { name: topic, partitions: [] };
      byName.set(topic, known);
      const size = { partitionSize: sizeBytes, offsetLag };
      known.partitions.push({ partitionIndex: partition, ...size, isFutureKey: false });
    }
    const space = await logDirs.space();
    const directory: Directory = {
      errorCode: 0,
      logDir: logDirs.path,
      topics: [...byName.values()],
      totalBytes: space?.totalBytes ?? -1,
      usableBytes: space?.freeBytes ?? -1,
    };
    return { errorCode: 0, results: [directory] };
  };
}

/** No list at all stands for everything. */
function filterOf(topics: Request["topics"]): (topic: string, partition: number) => boolean {
  if (topics === null) return () => true;
  const wanted = new Map<string, Set<number>>();
  for (const { topic, partitions } of topics) {
    wanted.set(topic, new Set([...(wanted.get(topic) ?? []), ...partitions]));
  }
  return (topic, partition) => wanted.get(topic)?.has(partition) ?? false;
}
