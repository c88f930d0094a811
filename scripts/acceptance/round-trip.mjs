/** Every file through a cluster of three and back: the same bytes, and the same order per key. */
import { mustRun } from "../lab/command.mjs";
import { UpCluster } from "../lab/up-cluster.mjs";
import { byteDifference, expectedOutput, KeyedLines } from "./line-comparison.mjs";

export async function roundTrip({ report, workspace, files }) {
  const data = workspace.path("up");
  const cluster = await UpCluster.start(workspace, ["--data-dir", data]);
  const context = { report, workspace, brokers: cluster.brokers };
  for (const file of files) {
    await wholeFile(context, file);
    await keyedFile(context, file);
  }
  await cluster.interrupt();
}

async function wholeFile({ report, workspace, brokers }, file) {
  const topic = `whole-${file.topicPart}`;
  await mustRun(workspace, ["topic", "create", topic, "-p", "1", "-b", brokers]);
  await mustRun(workspace, ["topic", "produce", topic, file.path, "-b", brokers]);
  const consumed = await mustRun(workspace, ["topic", "consume", topic, "-e", "-b", brokers]);
  report.check(
    `${file.name}: one partition gives back the same bytes`,
    byteDifference(expectedOutput(file.bytes), consumed.stdout),
    { bytes: consumed.stdout.length },
  );
}

async function keyedFile({ report, workspace, brokers }, file) {
  const topic = `keyed-${file.topicPart}`;
  const keyed = new KeyedLines(file.bytes);
  await mustRun(workspace, ["topic", "create", topic, "-p", "6", "-b", brokers]);
  await mustRun(workspace, ["topic", "produce", topic, "-k", "\\t", "-b", brokers], {
    input: keyed.input,
  });
  const format = "%p\\t%o\\t%k\\t%v\\n";
  const consumed = await mustRun(workspace, [
    ...["topic", "consume", topic, "-e", "-f", format, "-b", brokers],
  ]);
  report.check(
    `${file.name}: six partitions keep every record, and the order of each key`,
    keyed.difference(consumed.stdout),
    { records: keyed.count },
  );
}
