import { describe, expect, it } from "vitest";
import { BROKER_SETTINGS } from "./kafka-settings.js";
import { type ResolvedSettings, resolveSettings, type SettingSources } from "./resolve-settings.js";
import { flagOf, namesOf, variableOf } from "./setting.js";
import { WITHOUT_EFFECT } from "./without-effect.js";

/** What every node needs, so that a test can be about something else. */
const NEEDED = { "node.id": "1", voters: "1@a:1", "data.dir": "/data" };

function resolve(sources: {
  flags?: Record<string, string>;
  sets?: string[];
  environment?: SettingSources["environment"];
  file?: string;
}): ResolvedSettings {
  return resolveSettings(BROKER_SETTINGS, {
    flags: new Map(Object.entries(sources.flags ?? NEEDED)),
    sets: sources.sets ?? [],
    environment: sources.environment ?? {},
    file: sources.file === undefined ? undefined : { path: "s.properties", text: sources.file },
  });
}

describe(resolveSettings, () => {
  it("takes a flag before the environment, the environment before the file, the file before the default", () => {
    const file = "host=file\nrack=file\nlog.level=warn\nvoters=1@file:1\n";
    const environment = { STRANDLINE_HOST: "env", STRANDLINE_VOTERS: "1@env:1" };
    const { values, problems } = resolve({
      flags: { "node.id": "1", voters: "1@flag:1", "data.dir": "/data" },
      environment: { ...environment, STRANDLINE_RACK: "" },
      file,
    });
    expect(problems).toEqual([]);
    expect(values.get("voters")).toEqual({ value: "1@flag:1", source: "--voters" });
    expect(values.get("host")).toEqual({ value: "env", source: "STRANDLINE_HOST" });
    expect(values.get("rack")).toEqual({ value: "file", source: "s.properties:2" });
    expect(values.get("log.level")).toEqual({ value: "warn", source: "s.properties:3" });
    expect(values.get("grpc.port")).toEqual({ value: "50051", source: "default" });
    expect(values.has("cluster.id")).toBe(false);
  });

  it("refuses a key that does not exist, with file, line and the nearest one", () => {
    expect(resolve({ file: "\nnode.idd=1\nadvertized.grpc=a:1\nxyz=1" }).problems).toEqual([
      's.properties:2: there is no setting "node.idd"; did you mean "node.id"?',
      's.properties:3: there is no setting "advertized.grpc"; did you mean "advertised.grpc"?',
      's.properties:4: there is no setting "xyz"',
    ]);
  });

  it("says everything that is wrong at once, each with its place", () => {
    const { problems } = resolve({
      flags: { "http.port": "70000", "log.level": "loud" },
      environment: { STRANDLINE_NODE_ID: "one", STRANDLINE_CONTROLLER_ONLY: "yes" },
      file: "grpc.port=\nnonsense\n",
    });
    expect(problems).toEqual([
      "s.properties:2: is not key=value",
      'STRANDLINE_NODE_ID: node.id must be an integer from 0 to 2147483647, or "ordinal", not "one"',
      "voters (controller.quorum.voters) is missing: give --voters <list>, STRANDLINE_VOTERS in the environment, or voters= in the file",
      "data.dir (log.dirs) is missing: give --data-dir <path>, STRANDLINE_DATA_DIR in the environment, or data.dir= in the file",
      's.properties:1: grpc.port must be an integer from 0 to 65535, not ""',
      '--http-port: http.port must be an integer from 0 to 65535, or "off", not "70000"',
      'STRANDLINE_CONTROLLER_ONLY: controller.only must be one of true, false, not "yes"',
      '--log-level: log.level must be one of debug, info, warn, error, silent, not "loud"',
    ]);
  });

  it("knows settings by their other names, but not by two at once", () => {
    const file = "controller.quorum.voters=1@a:1\nbroker.rack=r1\nrack=r2\n";
    const { values, problems } = resolve({ flags: { "node.id": "0", "data.dir": "/d" }, file });
    expect(values.get("voters")).toEqual({ value: "1@a:1", source: "s.properties:1" });
    expect(problems).toEqual(["s.properties:3: rack is set already by s.properties:2"]);
  });

  it("says where a variable may come from that Kubernetes writes for a Service", () => {
    const environment = { STRANDLINE_GRPC_PORT: "tcp://10.0.0.1:50051" };
    expect(resolve({ environment }).problems[0]).toContain("enableServiceLinks: false");
  });

  it("refuses a variable of ours that is no setting, but not what Kubernetes and others write", () => {
    const environment = {
      STRANDLINE_ADVERTISED_GPRC: "a:1",
      STRANDLINE_GRCP_PORT: "50051",
      STRANDLINE_SOMETHING_ENTIRELY_DIFFERENT: "1",
      STRANDLINE_BROKERS: "a:1",
      STRANDLINE_PORT: "tcp://10.0.0.1:50051",
      STRANDLINE_PORT_50051_TCP_ADDR: "10.0.0.1",
      STRANDLINE_SERVICE_HOST: "10.0.0.1",
      STRANDLINE_SERVICE_PORT_GRPC: "50051",
      STRANDLINE_UNSET: "",
      PATH: "/bin",
    };
    expect(resolve({ environment }).problems).toEqual([
      "STRANDLINE_ADVERTISED_GPRC: there is no such setting; did you mean STRANDLINE_ADVERTISED_GRPC?",
      "STRANDLINE_GRCP_PORT: there is no such setting; did you mean STRANDLINE_GRPC_PORT?",
      "STRANDLINE_SOMETHING_ENTIRELY_DIFFERENT: there is no such setting",
    ]);
  });
});

describe("Kafka's settings", () => {
  it("come from --set, the environment under either prefix, and the file, in this order", () => {
    const file = "log.retention.ms=1\nlog.segment.bytes=2048\nnum.partitions=2\nlog.roll.ms=4\n";
    const { values, problems } = resolve({
      sets: ["log.retention.ms=3", "broker.rack = r1 "],
      environment: {
        KAFKA_LOG_RETENTION_MS: "2",
        KAFKA_LOG_SEGMENT_BYTES: "4096",
        STRANDLINE_NUM_PARTITIONS: "6",
      },
      file,
    });
    expect(problems).toEqual([]);
    expect(values.get("log.retention.ms")).toEqual({
      value: "3",
      source: "--set log.retention.ms",
    });
    expect(values.get("rack")).toEqual({ value: "r1", source: "--set broker.rack" });
    expect(values.get("log.segment.bytes")).toEqual({
      value: "4096",
      source: "KAFKA_LOG_SEGMENT_BYTES",
    });
    expect(values.get("num.partitions")).toEqual({
      value: "6",
      source: "STRANDLINE_NUM_PARTITIONS",
    });
    expect(values.get("log.roll.ms")).toEqual({ value: "4", source: "s.properties:4" });
    expect(values.get("group.max.size")).toEqual({ value: "2147483647", source: "default" });
  });

  it("may be written in larger units, of which a finer one in the same place wins", () => {
    const retention = (file: string, environment = {}) =>
      resolve({ file, environment }).values.get("log.retention.ms");
    expect(retention("log.retention.hours=2")).toEqual({
      value: "7200000",
      source: "s.properties:1",
    });
    expect(retention("log.retention.hours=168\nlog.retention.minutes=1")?.value).toBe("60000");
    expect(retention("log.retention.ms=5\nlog.retention.minutes=1")?.value).toBe("5");
    expect(retention("log.retention.hours=-1")?.value).toBe("-1");
    expect(retention("log.retention.ms=5", { KAFKA_LOG_RETENTION_HOURS: "1" })).toEqual({
      value: "3600000",
      source: "KAFKA_LOG_RETENTION_HOURS",
    });
    expect(resolve({ file: "log.retention.hours=7d" }).problems).toEqual([
      's.properties:1: log.retention.hours must be an integer, not "7d"',
    ]);
  });

  it("are refused with their place and what is allowed", () => {
    const { problems } = resolve({
      sets: [
        "log.retention.ms=7d",
        "log.retenton.ms=1",
        "nonsense",
        "unclean.leader.election.enable=true",
      ],
      environment: { KAFKA_AUTO_CREATE_TOPICS_ENABLE: "yes" },
      file: "log.segment.bytes=1\nmin.insync.replicas=1\n",
    });
    expect(problems).toEqual([
      '--set: "nonsense" is not key=value',
      '--set log.retenton.ms: there is no setting "log.retenton.ms"; did you mean "log.retention.ms"?',
      'KAFKA_AUTO_CREATE_TOPICS_ENABLE: auto.create.topics.enable must not be "yes": it is one of true, false',
      '--set log.retention.ms: log.retention.ms must be an integer from -1 to 9223372036854775807, not "7d"',
      "s.properties:1: log.segment.bytes is 1, outside 1024 to 2147483647",
      's.properties:2: min.insync.replicas must be 2 or more, not "1", as a default of topics: a topic with one ' +
        "replica needs one anyway, and one with several gets 1 only from who allows it by name",
      '--set unclean.leader.election.enable: unclean.leader.election.enable must not be "true": ' +
        "an election that may lose records is never automatic; an operator asks for it by name",
    ]);
  });

  it("leave alone what others call KAFKA_, and warn of what looks misspelt or does nothing", () => {
    const { problems, warnings } = resolve({
      environment: {
        KAFKA_OPTS: "-Dx",
        KAFKA_HEAP_OPTS: "-Xmx1G",
        KAFKA_HOME: "/opt/kafka",
        KAFKA_VERSION: "4.1.0",
        KAFKA_HOST: "broker",
        KAFKA_GRPC_PORT: "1",
        KAFKA_BOOTSTRAP_SERVERS: "a:1",
        KAFKA_LOG4J_ROOT_LOGLEVEL: "INFO",
        KAFKA_LOG_RETENTON_MS: "1",
        KAFKA_NUM_IO_THREADS: "8",
      },
      file: "num.network.threads=3\n",
    });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      "s.properties:1: num.network.threads has no effect here: a node has no pools of threads to size",
      "KAFKA_LOG_RETENTON_MS is no setting; did you mean KAFKA_LOG_RETENTION_MS?",
      "KAFKA_NUM_IO_THREADS: num.io.threads has no effect here: a node has no pools of threads to size",
    ]);
  });

  it("are not passed over where they would protect a broker", () => {
    const environment = { KAFKA_AUTHORIZER_CLASS_NAME: "x", KAFKA_SASL_USERNAME: "of a client" };
    expect(resolve({ environment }).problems).toEqual([
      "KAFKA_AUTHORIZER_CLASS_NAME: there is no encryption, authentication or authorization yet",
    ]);
  });

  it("take the cluster's id under the name the official image gives it", () => {
    const { values } = resolve({ environment: { CLUSTER_ID: "4L6g3nShT-eMCtK--X86sw" } });
    expect(values.get("cluster.id")?.source).toBe("CLUSTER_ID");
  });

  it("may be given twice in one place only when both say the same", () => {
    const twice = (second: string) =>
      resolve({ environment: { KAFKA_NUM_PARTITIONS: "3", STRANDLINE_NUM_PARTITIONS: second } });
    expect(twice("3").problems).toEqual([]);
    expect(twice("4").problems).toEqual([
      "KAFKA_NUM_PARTITIONS: num.partitions is set already by STRANDLINE_NUM_PARTITIONS",
    ]);
  });
});

describe("the settings of a node", () => {
  it("have names, flags and variables that nothing else has", () => {
    const names = BROKER_SETTINGS.flatMap(namesOf);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(names.map((name) => variableOf(name))).size).toBe(names.length);
    expect(WITHOUT_EFFECT.filter(({ key }) => names.includes(key))).toEqual([]);
    const [nodeId] = BROKER_SETTINGS;
    expect(nodeId && [flagOf(nodeId), variableOf(nodeId.key)]).toEqual([
      "--node-id",
      "STRANDLINE_NODE_ID",
    ]);
    expect(variableOf("a-b.c_d", "KAFKA_")).toBe("KAFKA_A___B_C__D");
  });
});
