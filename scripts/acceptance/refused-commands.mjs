/** Requests of the command line that cannot be served. */
import { mustRun } from "../lab/command.mjs";
import { freePorts } from "../lab/ports.mjs";
import { checkRefusedCommand } from "./refusal-check.mjs";

export async function refusedCommands(context) {
  const { cluster, workspace, topic, report } = context;
  const { brokers } = cluster;
  const unknown = { code: 3, words: ["UNKNOWN_TOPIC_OR_PARTITION", "nowhere", "hint:"] };
  const at = ["-b", brokers];
  await checkRefusedCommand(
    context,
    "produce to an unknown topic",
    ["topic", "produce", "nowhere", ...at],
    { ...unknown, input: "x\n" },
  );
  await checkRefusedCommand(
    context,
    "consume from an unknown topic",
    ["topic", "consume", "nowhere", "-e", ...at],
    unknown,
  );
  await checkRefusedCommand(
    context,
    "describe an unknown topic",
    ["topic", "describe", "nowhere", ...at],
    unknown,
  );
  await checkRefusedCommand(
    context,
    "consume a partition that the topic does not have",
    ["topic", "consume", topic, "-p", "7", "-e", ...at],
    { code: 3, words: [topic, "7"] },
  );
  await checkRefusedCommand(
    context,
    "create a topic that exists",
    ["topic", "create", topic, ...at],
    { code: 1, words: ["TOPIC_ALREADY_EXISTS", topic] },
  );
  await checkRefusedCommand(
    context,
    "create a topic with an illegal name",
    ["topic", "create", "no/slash", ...at],
    { code: 1, words: ["INVALID_TOPIC_EXCEPTION", "letters"] },
  );
  await checkRefusedCommand(
    context,
    "ask for more replicas than there are brokers",
    ["topic", "create", "wide", "-r", "4", ...at],
    { code: 1, words: ["INVALID_REPLICATION_FACTOR", "4"] },
  );
  await checkRefusedCommand(
    context,
    "ask a cluster that is not there",
    ["topic", "list", "-b", `127.0.0.1:${await freePorts(1)}`, "--timeout", "3"],
    { code: 5, words: ["UNAVAILABLE", "hint:"] },
  );
  await recordOverLimit(context);
  const listed = await mustRun(workspace, ["topic", "list", "--format", "json", ...at]);
  const names = JSON.parse(listed.stdout.toString()).map((each) => each.name);
  report.check(
    "refused topics do not exist",
    names.includes("wide") || names.includes("no/slash") ? `there are ${names}` : undefined,
  );
}

/** The default limit is 1 MiB and a little; records before the one that is too large stay. */
async function recordOverLimit(context) {
  const { cluster, workspace, report } = context;
  const at = ["-b", cluster.brokers];
  await mustRun(workspace, ["topic", "create", "limited", ...at]);
  await mustRun(workspace, ["topic", "produce", "limited", ...at], { input: "before\n" });
  await checkRefusedCommand(
    context,
    "produce a record of 2 MiB",
    ["topic", "produce", "limited", ...at],
    { code: 1, words: [/MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/], input: large(2 * 1024 * 1024) },
  );
  await mustRun(workspace, ["topic", "create", "narrow", "-c", "max.message.bytes=1000", ...at]);
  await checkRefusedCommand(
    context,
    "produce a record over the topic's own max.message.bytes",
    ["topic", "produce", "narrow", ...at],
    { code: 1, words: [/MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/], input: large(2_000) },
  );
  await mustRun(workspace, ["topic", "produce", "limited", ...at], { input: "after\n" });
  const consumed = await mustRun(workspace, ["topic", "consume", "limited", "-e", ...at]);
  report.check(
    "the topic keeps what came before and after a record over the limit",
    consumed.stdout.toString() === "before\nafter\n"
      ? undefined
      : `it has ${consumed.stdout.length} bytes: ${consumed.stdout.toString("latin1", 0, 60)}`,
  );
}

function large(bytes) {
  return Buffer.alloc(bytes, "x");
}
