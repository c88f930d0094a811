/**
 * Takes out of an answer what two clusters need not have in common: ids, addresses, times, who
 * leads, and the words of messages. What is equal within one side stays equal: the first member id
 * of a scenario is <member 1> wherever it stands.
 */
import { crc32c, nodeCompressors } from "@strandline/platform";
import { batchesIn, compressionOf, decodeBatch, readBatchHeader } from "@strandline/record";

const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA";
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024;
const { decompress } = compressionOf(nodeCompressors);

/** Elements of lists that say by themselves which one they are. */
const ORDERED_BY = [
  "apiKey",
  "nodeId",
  "brokerId",
  "name",
  "topic",
  "topicName",
  "topicId",
  "groupId",
  "key",
  "resourceName",
  "partitionIndex",
  "partition",
  "partitionId",
  "index",
  "memberId",
];

export class Normaliser {
  #prefix;
  #symbols = new Map();
  #seen = new Set();
  /** Names of topics by their ids, as far as the scenario told. */
  #topics = new Map();

  constructor(prefix) {
    this.#prefix = prefix;
  }

  /** Where this topic's id stands, its name will. */
  learnTopic(id, suffix) {
    this.#topics.set(id, suffix);
  }

  outcome({ body, ...rest }) {
    return body === undefined ? rest : { body: this.value(body, "") };
  }

  value(value, key) {
    if (value instanceof Uint8Array) {
      return key === "records" ? recordsOf(value) : this.#bytes(value);
    }
    if (Array.isArray(value)) return this.#list(value, key);
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(
        Object.entries(value).map(([name, member]) => [name, this.value(member, name)]),
      );
    }
    if (typeof value === "string") return this.#text(value, key);
    return typeof value === "number" ? this.#number(value, key) : value;
  }

  /** Names of topics may stand in them. */
  #bytes(value) {
    const hex = Buffer.from(value).toString("hex");
    return { hex: hex.replaceAll(Buffer.from(this.#prefix).toString("hex"), "~") };
  }

  #list(values, key) {
    // Who keeps a replica is each cluster's own choice; how many do is not.
    if (REPLICA_LISTS.has(key)) return `<${values.length} nodes>`;
    const normal = values.map((value) => this.value(value, key));
    // Topics that other runs and other people left behind.
    const own = FILTERED.has(key) ? normal.filter((each) => this.#isOwn(each)) : normal;
    const name = ORDERED_BY.find((each) => own.every((element) => element?.[each] !== undefined));
    if (name === undefined || own.length < 2) return own;
    return own.toSorted((a, b) => (sortKey(a, name) < sortKey(b, name) ? -1 : 1));
  }

  /** Names of this run were shortened by now. */
  #isOwn(element) {
    const name = element?.name ?? element?.groupId ?? element?.topic;
    return typeof name !== "string" || name === "" || name.startsWith("~") || name.startsWith("<");
  }

  #text(value, key) {
    if (key === "topicId") {
      if (value === ZERO_UUID) return "<none>";
      const name = this.#topics.get(value);
      return name === undefined ? "<some id>" : `<id of ${name}>`;
    }
    if (key === "errorMessage" || key === "batchIndexErrorMessage")
      return value === "" ? value : "<words>";
    if (key === "documentation") return value === "" ? value : "<words>";
    if (key === "clusterId") return value === "" ? value : "<cluster>";
    if (key === "host" || key === "clientHost") return value === "" ? value : "<host>";
    if (key === "logDir") return value === "" ? value : "<directory>";
    if (MEMBERS.has(key))
      return /-[0-9a-f-]{36}$/.test(value) ? this.#symbol("member", value) : value;
    return value.replaceAll(this.#prefix, "~");
  }

  #number(value, key) {
    if (key === "port") return value > 0 ? "<port>" : value;
    if (NODES.has(key)) return value >= 0 ? "<node>" : value;
    if (key === "producerId") return value >= 0 ? this.#novelty(value) : value;
    if (key === "sessionId") return value > 0 ? this.#novelty(value) : value;
    if (key === "finalizedFeaturesEpoch") return value >= 0 ? "<epoch>" : value;
    if (key === "logAppendTimeMs") return value >= 0 ? "<time>" : value;
    if (SIZES.has(key)) return value >= 0 ? "<size>" : value;
    return value;
  }

  /** Of ids that are given out: whether it was given out before. */
  #novelty(value) {
    if (this.#seen.has(value)) return "<known id>";
    this.#seen.add(value);
    return "<new id>";
  }

  #symbol(kind, value) {
    const known = this.#symbols.get(`${kind} ${value}`);
    if (known !== undefined) return known;
    const count = [...this.#symbols.keys()].filter((each) => each.startsWith(`${kind} `)).length;
    const symbol = `<${kind} ${count + 1}>`;
    this.#symbols.set(`${kind} ${value}`, symbol);
    return symbol;
  }
}

const REPLICA_LISTS = new Set(["replicaNodes", "isrNodes", "replicas", "brokerIds"]);
const FILTERED = new Set(["topics", "groups"]);
const MEMBERS = new Set(["memberId", "leader"]);
const NODES = new Set(["leaderId", "controllerId", "nodeId", "brokerId"]);
const SIZES = new Set(["totalBytes", "usableBytes"]);

function sortKey(element, name) {
  const value = element[name];
  return typeof value === "number" ? String(value).padStart(12, "0") : JSON.stringify(value);
}

/** What is in record batches, without what the leader stamps. */
function recordsOf(bytes) {
  const batches = [];
  let whole = 0;
  for (const { at, sizeBytes } of batchesIn(bytes)) {
    whole = at + sizeBytes;
    const header = readBatchHeader(bytes, at);
    // Times of the broker and ids of producers are under the checksum.
    const isOwn = header.timestampType !== "append" && header.producerId < 0;
    const records = [...decodeBatch(bytes, at, { decompress, outputBytesMax: UNPACKED_BYTES_MAX })];
    batches.push({
      baseOffset: header.baseOffset,
      lastOffset: header.lastOffset,
      attributes: header.attributes,
      sizeBytes,
      crc: isOwn ? crc32c(bytes.subarray(at + 21, at + sizeBytes)) : "<crc>",
      leaderEpoch: header.leaderEpoch,
      producer: header.producerId >= 0 ? [header.producerEpoch, header.baseSequence] : "none",
      offsets: records.map(({ offset }) => offset),
    });
  }
  // A file is sent to its bound by the reference: the start of a batch that does not fit.
  return { batches, hasPartOfMore: whole < bytes.length };
}
