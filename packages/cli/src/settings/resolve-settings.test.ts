import { describe, expect, it } from "vitest";
import { BROKER_SETTINGS, flagOf, namesOf, variableOf } from "./broker-settings.js";
import { type ResolvedSettings, resolveSettings, type SettingSources } from "./resolve-settings.js";

/** What every node needs, so that a test can be about something else. */
const NEEDED = { "node.id": "1", voters: "1@a:1", "data.dir": "/data" };

function resolve(sources: {
  flags?: Record<string, string>;
  environment?: SettingSources["environment"];
  file?: string;
}): ResolvedSettings {
  return resolveSettings(BROKER_SETTINGS, {
    flags: new Map(Object.entries(sources.flags ?? NEEDED)),
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
      'STRANDLINE_NODE_ID: "one" must be an integer from 0 to 2147483647, or "ordinal"',
      "voters is missing: give --voters <list>, STRANDLINE_VOTERS in the environment, or voters= in the file",
      "data.dir is missing: give --data-dir <path>, STRANDLINE_DATA_DIR in the environment, or data.dir= in the file",
      's.properties:1: "" must be an integer from 0 to 65535',
      '--http-port: "70000" must be an integer from 0 to 65535, or "off"',
      'STRANDLINE_CONTROLLER_ONLY: "yes" must be one of true, false',
      '--log-level: "loud" must be one of debug, info, warn, error, silent',
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

  it("warns of a variable that looks misspelt, and of no others", () => {
    const environment = {
      STRANDLINE_ADVERTISED_GPRC: "a:1",
      STRANDLINE_BROKERS: "a:1",
      STRANDLINE_PORT: "tcp://10.0.0.1:50051",
      STRANDLINE_SERVICE_HOST: "10.0.0.1",
      STRANDLINE_SERVICE_PORT_GRPC: "50051",
      STRANDLINE_SOMETHING_ENTIRELY_DIFFERENT: "1",
      PATH: "/bin",
    };
    const { warnings, problems } = resolve({ environment });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      "STRANDLINE_ADVERTISED_GPRC is no setting; did you mean STRANDLINE_ADVERTISED_GRPC?",
    ]);
  });
});

describe("the settings of a node", () => {
  it("have names, flags and variables that nothing else has", () => {
    const names = BROKER_SETTINGS.flatMap(namesOf);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(names.map(variableOf)).size).toBe(names.length);
    const [nodeId] = BROKER_SETTINGS;
    expect(nodeId && [flagOf(nodeId), variableOf(nodeId.key)]).toEqual([
      "--node-id",
      "STRANDLINE_NODE_ID",
    ]);
  });
});
