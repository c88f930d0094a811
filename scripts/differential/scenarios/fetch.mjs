/** Fetch with its sessions, and the questions for offsets. */
import { versionsOf } from "../../lab/kafka-connection.mjs";
import { BASE_MS, batch, produceBody } from "../batches.mjs";

const UNKNOWN_ID = "4yB0Jt4tTiGgGRWkkMTnJg";
const LARGE = 50_000_000;

/** A request for partitions of one topic; by its name or by its id, as the version has it. */
function body({ name, id }, partitions, fields = {}) {
  return {
    replicaId: -1,
    maxWaitMs: 50,
    minBytes: 1,
    maxBytes: LARGE,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics:
      partitions.length === 0
        ? []
        : [
            {
              topic: name,
              topicId: id,
              partitions: partitions.map(({ partition = 0, fetchOffset = 0, ...rest }) => ({
                partition,
                fetchOffset,
                partitionMaxBytes: LARGE,
                ...rest,
              })),
            },
          ],
    forgottenTopicsData: [],
    rackId: "",
    ...fields,
  };
}

/** A topic with ten batches of five records in its first partition: offsets 0 to 49. */
async function filled(door, suffix, options) {
  const topic = await door.topic(suffix, options);
  const to = await door.leader(topic.name);
  for (let at = 0; at < 10; at += 1) {
    const records = batch({ count: 5, valueBytes: 100, timestampMs: BASE_MS + at * 1_000 });
    const outcome = await door.quietly("Produce", 7, produceBody(topic.name, records), { to });
    if (outcome.body?.responses[0].partitionResponses[0].errorCode !== 0) {
      throw new Error(`${topic.name} was not filled`);
    }
  }
  return { topic, to };
}

export const fetching = {
  async "records that are read"(door) {
    const { topic, to } = await filled(door, "read");
    for (const version of versionsOf("Fetch")) {
      const ask = async (label, partitions, fields) =>
        await door.ask(`v${version} ${label}`, "Fetch", version, body(topic, partitions, fields), {
          to,
        });
      await ask("from the start", [{}]);
      await ask("inside a batch", [{ fetchOffset: 7 }]);
      await ask("the last record", [{ fetchOffset: 49 }]);
      await ask("from the end", [{ fetchOffset: 50 }]);
      await ask("behind the end", [{ fetchOffset: 51 }]);
      await ask("far behind the end", [{ fetchOffset: 1_000_000 }]);
      await ask("offset -1", [{ fetchOffset: -1 }]);
      await ask("committed only", [{ fetchOffset: 40 }], { isolationLevel: 1 });
      await ask("an isolation that is none", [{ fetchOffset: 40 }], { isolationLevel: 7 });
      await ask("one byte of the partition", [{ partitionMaxBytes: 1 }]);
      await ask("one byte in all", [{}], { maxBytes: 1 });
      await ask("no bytes of the partition", [{ partitionMaxBytes: 0 }]);
      await ask("no bytes in all", [{}], { maxBytes: 0 });
      await ask("bytes below zero", [{ partitionMaxBytes: -5 }], { maxBytes: -5 });
      await ask("just two batches", [{ partitionMaxBytes: 1_400 }]);
      await ask("no waiting", [{ fetchOffset: 50 }], { maxWaitMs: 0 });
      await ask("waiting below zero", [{ fetchOffset: 50 }], { maxWaitMs: -1 });
      await ask("more bytes than there are", [{ fetchOffset: 45 }], { minBytes: 1_000_000 });
      await ask("nothing", []);
      await ask("unknown partition", [{ partition: 9 }]);
      await ask("partition below zero", [{ partition: -1 }]);
      await ask("known and unknown", [{ fetchOffset: 45 }, { partition: 3 }]);
      await ask("one partition twice", [{ fetchOffset: 45 }, { fetchOffset: 47 }]);
      await ask("a replica that is none", [{ fetchOffset: 45 }], { replicaId: -2 });
      await ask("a rack", [{ fetchOffset: 45 }], { rackId: "r1" });
      if (version >= 9) {
        await ask("the leader's epoch", [{ fetchOffset: 45, currentLeaderEpoch: 0 }]);
        await ask("an epoch to come", [{ fetchOffset: 45, currentLeaderEpoch: 99 }]);
      }
      if (version >= 12) {
        await ask("the last epoch", [{ fetchOffset: 45, lastFetchedEpoch: 0 }]);
        await ask("a last epoch to come", [{ fetchOffset: 45, lastFetchedEpoch: 7 }]);
        await ask("a last epoch behind the end", [{ fetchOffset: 60, lastFetchedEpoch: 0 }]);
      }
      const unknown = { name: door.name("absent"), id: UNKNOWN_ID };
      await door.ask(`v${version} unknown topic`, "Fetch", version, body(unknown, [{}]), { to });
      const none = { name: "", id: undefined };
      await door.ask(`v${version} no topic`, "Fetch", version, body(none, [{}]), { to });
    }
  },

  async "brokers that do not lead"(door) {
    const { topic } = await filled(door, "elsewhere");
    const to = await door.connection(await door.otherNode(topic.name));
    for (const version of versionsOf("Fetch")) {
      const label = `v${version} fetch`;
      await door.ask(label, "Fetch", version, body(topic, [{}]), { to });
    }
    for (const version of versionsOf("ListOffsets")) {
      const label = `v${version} offsets`;
      await door.ask(label, "ListOffsets", version, offsets(topic.name, [{ timestamp: -1 }]), {
        to,
      });
    }
    for (const version of versionsOf("OffsetForLeaderEpoch")) {
      const label = `v${version} epochs`;
      await door.ask(
        label,
        "OffsetForLeaderEpoch",
        version,
        epochs(topic.name, [{ leaderEpoch: 0 }]),
        {
          to,
        },
      );
    }
  },

  async "readers that wait"(door) {
    for (const version of [4, 7, 11, 12, 13, 17]) {
      const topic = await door.topic(`waiting-${version}`);
      const to = await door.leader(topic.name);
      const waiting = body(topic, [{}], { maxWaitMs: 10_000 });
      const startedAtMs = performance.now();
      const answer = door.quietly("Fetch", version, waiting, { to });
      const writer = await door.fresh(await door.leaderId(topic.name));
      await door.quietly("Produce", 7, produceBody(topic.name, batch()), { to: writer });
      const outcome = await answer;
      const isWoken = performance.now() - startedAtMs < 8_000;
      door.record(`v${version}, woken by a record`, { isWoken, ...outcome });
    }
  },

  async "sessions of fetches"(door) {
    const { topic, to } = await filled(door, "sessions");
    for (const version of [7, 11, 12, 13, 16, 17]) {
      const ask = async (label, partitions, fields) =>
        await door.ask(`v${version} ${label}`, "Fetch", version, body(topic, partitions, fields), {
          to,
        });
      await ask("without a session", [{ fetchOffset: 45 }]);
      const opened = await ask("a new one", [{ fetchOffset: 40 }], { sessionEpoch: 0 });
      const sessionId = opened?.sessionId;
      if (sessionId === undefined) continue;
      const next = async (label, sessionEpoch, partitions = [], fields = {}) =>
        await ask(label, partitions, { sessionId, sessionEpoch, ...fields });
      await next("1, nothing new", 1);
      await next("2, another offset", 2, [{ fetchOffset: 50 }]);
      await next("3, nothing to tell", 3);
      await next("3 again", 3);
      await next("4, after the error", 4);
      await next("9, too early", 9);
      await next("5, an unknown partition", 5, [{ partition: 8 }]);
      await next("6, that one again", 6);
      const forgotten = [{ topic: topic.name, topicId: topic.id, partitions: [8] }];
      await next("7, without it", 7, [], { forgottenTopicsData: forgotten });
      await next("8, a wrong offset", 8, [{ fetchOffset: 900 }]);
      await next("9, still wrong", 9);
      await next("10, right again", 10, [{ fetchOffset: 48 }]);
      const all = [{ topic: topic.name, topicId: topic.id, partitions: [0] }];
      await next("11, nothing is left", 11, [], { forgottenTopicsData: all });
      await next("12, of a session that is gone", 12);
      await ask("an unknown session", [], { sessionId: 123_456_789, sessionEpoch: 1 });
      await ask("an unknown session, renewed", [{ fetchOffset: 48 }], {
        sessionId: 123_456_789,
        sessionEpoch: 0,
      });
      await ask("an unknown session, closed", [{ fetchOffset: 48 }], {
        sessionId: 123_456_789,
        sessionEpoch: -1,
      });
      const second = await ask("a second one", [{ fetchOffset: 48 }], { sessionEpoch: 0 });
      const of = { sessionId: second.sessionId };
      await ask("a second one, renewed", [{ fetchOffset: 49 }], { ...of, sessionEpoch: 0 });
      await ask("a second one, the old id", [], { ...of, sessionEpoch: 1 });
      const third = await ask("a third one", [{ fetchOffset: 48 }], { sessionEpoch: 0 });
      const closing = { sessionId: third.sessionId, sessionEpoch: -1 };
      await ask("a third one, closed", [{ fetchOffset: 49 }], closing);
      await ask("a third one, closed again", [{ fetchOffset: 49 }], closing);
      await ask("a new one of nothing", [], { sessionEpoch: 0 });
      await ask("epoch -2", [{ fetchOffset: 49 }], { sessionEpoch: -2 });
      await ask("epoch 1 of no session", [{ fetchOffset: 49 }], { sessionEpoch: 1 });
      await ask("unknown at first", [{ partition: 8 }], { sessionEpoch: 0 });
      // One that changes between names and ids.
      const fourth = await ask("a fourth one", [{ fetchOffset: 48 }], { sessionEpoch: 0 });
      const otherVersion = version <= 12 ? 13 : 12;
      const changed = body(topic, [{ fetchOffset: 48 }], {
        sessionId: fourth.sessionId,
        sessionEpoch: 1,
      });
      await door.ask(`v${version} then v${otherVersion}`, "Fetch", otherVersion, changed, { to });
    }
  },

  async "offsets by time"(door) {
    const { topic, to } = await filled(door, "times");
    const empty = await door.topic("times-empty");
    const toEmpty = await door.leader(empty.name);
    const times = {
      latest: -1,
      earliest: -2,
      "of the latest time": -3,
      "earliest here": -4,
      "last elsewhere": -5,
      "earliest to go elsewhere": -6,
      "-7": -7,
      "of the first": BASE_MS,
      "before the first": BASE_MS - 5_000,
      "between two": BASE_MS + 1_500,
      "inside a batch": BASE_MS + 3_002,
      "of the last": BASE_MS + 9_004,
      "behind the last": BASE_MS + 9_005,
      zero: 0,
      "the end of time": Number.MAX_SAFE_INTEGER,
    };
    for (const version of versionsOf("ListOffsets")) {
      const ask = async (label, name, partitions, fields, connection = to) =>
        await door.ask(
          `v${version} ${label}`,
          "ListOffsets",
          version,
          { ...offsets(name, partitions), ...fields },
          { to: connection },
        );
      for (const [what, timestamp] of Object.entries(times)) {
        await ask(what, topic.name, [{ timestamp }]);
        await ask(`${what}, empty`, empty.name, [{ timestamp }], {}, toEmpty);
      }
      await ask("committed", topic.name, [{ timestamp: -1 }], { isolationLevel: 1 });
      await ask("an isolation that is none", topic.name, [{ timestamp: -1 }], {
        isolationLevel: 9,
      });
      await ask("replica -2", topic.name, [{ timestamp: -1 }], { replicaId: -2 });
      await ask("twice", topic.name, [{ timestamp: -1 }, { timestamp: -2 }]);
      await ask("unknown partition", topic.name, [{ partitionIndex: 9, timestamp: -1 }]);
      await ask("partition below zero", topic.name, [{ partitionIndex: -1, timestamp: -1 }]);
      await ask("unknown topic", door.name("absent"), [{ timestamp: -1 }]);
      await ask("no name", "", [{ timestamp: -1 }]);
      await ask("no partition", topic.name, []);
      if (version < 4) continue;
      await ask("the epoch", topic.name, [{ timestamp: -1, currentLeaderEpoch: 0 }]);
      await ask("an epoch to come", topic.name, [{ timestamp: -1, currentLeaderEpoch: 9 }]);
    }
  },

  async "ends of epochs"(door) {
    const { topic, to } = await filled(door, "epochs");
    const empty = await door.topic("epochs-empty");
    const toEmpty = await door.leader(empty.name);
    for (const version of versionsOf("OffsetForLeaderEpoch")) {
      const ask = async (label, name, partitions, connection = to) =>
        await door.ask(
          `v${version} ${label}`,
          "OffsetForLeaderEpoch",
          version,
          epochs(name, partitions),
          { to: connection },
        );
      for (const leaderEpoch of [0, 1, 50, -1, -2]) {
        await ask(`epoch ${leaderEpoch}`, topic.name, [{ leaderEpoch }]);
        await ask(`epoch ${leaderEpoch}, empty`, empty.name, [{ leaderEpoch }], toEmpty);
      }
      await ask("asked by one who knows", topic.name, [{ leaderEpoch: 0, currentLeaderEpoch: 0 }]);
      await ask("asked from ahead", topic.name, [{ leaderEpoch: 0, currentLeaderEpoch: 8 }]);
      await ask("unknown partition", topic.name, [{ partition: 9, leaderEpoch: 0 }]);
      await ask("unknown topic", door.name("absent"), [{ leaderEpoch: 0 }]);
      await ask("nothing", topic.name, []);
      await ask("twice", topic.name, [{ leaderEpoch: 0 }, { leaderEpoch: 5 }]);
    }
  },
};

function offsets(name, partitions) {
  return {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions: partitions.map((each) => ({ partitionIndex: 0, ...each })) }],
  };
}

function epochs(topic, partitions) {
  return {
    replicaId: -1,
    topics: [{ topic, partitions: partitions.map((each) => ({ partition: 0, ...each })) }],
  };
}
