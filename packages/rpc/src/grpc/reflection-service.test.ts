/** Reflection as tools use it: they know an address, and learn everything else by asking. */
import { createRequire } from "node:module";
import path from "node:path";
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import {
  loadFileDescriptorSetFromObject,
  loadSync,
  type MessageTypeDefinition,
} from "@grpc/proto-loader";
import { nullLogger, unaryRoute } from "@strandline/platform";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminMethods, type CreateTopicRequest, logMethods } from "../index.js";
import { callForeign, foreignClient } from "../testing/foreign-client.js";
import { GrpcTransport } from "./grpc-transport.js";
import { HealthStatus } from "./health-status.js";

interface Field {
  name: string;
  jsonName: string;
  typeName?: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
}

interface Message {
  name: string;
  field?: Field[];
  nestedType?: Message[];
  oneofDecl?: { name: string }[];
  options?: { mapEntry?: boolean };
}

interface File {
  name: string;
  dependency?: string[];
  messageType?: Message[];
}

interface Answer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

const HOST = "127.0.0.1";
const fileType = loadSync("google/protobuf/descriptor.proto")[
  "google.protobuf.FileDescriptorProto"
] as MessageTypeDefinition<File, File>;

const clients: Client[] = [];
const created: CreateTopicRequest[] = [];
let transport: GrpcTransport;
let address: string;

beforeAll(async () => {
  transport = new GrpcTransport({
    logger: nullLogger,
    health: new HealthStatus(),
    reflection: true,
  });
  const listener = await transport.listen(HOST, 0, [
    unaryRoute(logMethods.initProducerId, async () => ({ producerId: 2 ** 40, producerEpoch: 3 })),
    unaryRoute(logMethods.fetch, async (request) => ({
      highWatermark: request.offset,
      logStartOffset: 0,
      nextOffset: 2,
      records: [
        { offset: 0, value: new Uint8Array(0), headers: [] },
        { offset: 1, key: Uint8Array.of(0xff), headers: [{ key: "note" }] },
      ],
      batches: new Uint8Array(0),
    })),
    unaryRoute(adminMethods.createTopic, async (request) => {
      created.push(request);
      return { topicId: "id", partitions: 1, replicationFactor: 1 };
    }),
  ]);
  address = `${HOST}:${listener.port}`;
});

afterAll(async () => {
  for (const client of clients) client.close();
  await transport.close();
});

/** Asks one question of a version of the reflection service. */
async function ask(version: string, question: object): Promise<Answer> {
  const root = path.dirname(
    createRequire(import.meta.url).resolve("@grpc/reflection/package.json"),
  );
  const file = path.join(root, `build/proto/grpc/reflection/${version}/reflection.proto`);
  const client = foreignClient(address, file, `grpc.reflection.${version}.ServerReflection`);
  clients.push(client);
  const open = Reflect.get(client, "ServerReflectionInfo") as () => NodeJS.ReadWriteStream;
  const stream = open.call(client);
  stream.end(question as never);
  for await (const answer of stream) return answer as unknown as Answer;
  throw new Error("no answer");
}

async function filesOf(version: string, symbol: string): Promise<File[]> {
  const answer = await ask(version, { fileContainingSymbol: symbol });
  const files = answer.fileDescriptorResponse?.fileDescriptorProto ?? [];
  return files.map((bytes) => fileType.deserialize(bytes));
}

/** A client made from nothing but what reflection told. */
function rebuilt(files: readonly File[], service: "Log" | "Admin"): Client {
  const set = { file: files } as Parameters<typeof loadFileDescriptorSetFromObject>[0];
  const definition = loadFileDescriptorSetFromObject(set, { longs: Number });
  const v1 = (loadPackageDefinition(definition)["strandline"] as GrpcObject)["v1"] as GrpcObject;
  const client = new (v1[service] as ServiceClientConstructor)(
    address,
    credentials.createInsecure(),
  );
  clients.push(client);
  return client;
}

function messagesOf(files: readonly File[]): Message[] {
  const withNested = (message: Message): Message[] => [
    message,
    ...(message.nestedType ?? []).flatMap(withNested),
  ];
  return files.flatMap((file) => (file.messageType ?? []).flatMap(withNested));
}

describe.each(["v1", "v1alpha"])("reflection %s", (version) => {
  it("lists what clients may call, and nothing between nodes", async () => {
    const { listServicesResponse } = await ask(version, { listServices: "*" });
    const names = listServicesResponse?.service.map((each) => each.name);
    expect(names?.toSorted()).toEqual([
      "grpc.health.v1.Health",
      "strandline.v1.Admin",
      "strandline.v1.Groups",
      "strandline.v1.Log",
    ]);
  });

  it("tells enough to make a client that calls, with maps and absent bytes", async () => {
    const files = await filesOf(version, "strandline.v1.Log");
    const log = rebuilt(files, "Log");
    const identity = { producer_id: 2 ** 40, producer_epoch: 3 };
    expect(await callForeign(log, "InitProducerId", {})).toEqual(identity);
    const fetched = await callForeign(log, "Fetch", { topic: "t", offset: 2 ** 41 });
    expect(fetched).toMatchObject({
      high_watermark: 2 ** 41,
      records: [{ value: Buffer.of() }, { offset: 1, key: Buffer.of(0xff) }],
    });
    const [empty, absent] = (fetched as { records: object[] }).records;
    expect(Object.keys(empty ?? {})).not.toContain("key");
    expect(Object.keys(absent ?? {})).not.toContain("value");
    const admin = rebuilt(files, "Admin");
    // This reader takes a map for what it is on the wire: a list of entries.
    const configs = [{ key: "retention.ms", value: "1" }];
    const topic = await callForeign(admin, "CreateTopic", { name: "t", configs });
    expect(topic).toMatchObject({ topic_id: "id" });
    expect(created.at(-1)?.configs).toEqual(new Map([["retention.ms", "1"]]));
  });

  it("gives descriptors by the rules that strict readers hold them to", async () => {
    const messages = messagesOf(await filesOf(version, "strandline.v1.Admin"));
    const entries = messages.filter((each) => each.options?.mapEntry === true);
    expect(entries.map((each) => each.name).toSorted()).toEqual([
      "ConfigsEntry",
      "ConfigsEntry",
      "SetEntry",
    ]);
    const record = messages.find((each) => each.name === "Record");
    const optional = record?.field?.filter((field) => field.proto3Optional === true) ?? [];
    expect(optional.map((field) => [field.name, field.jsonName])).toEqual([
      ["timestamp_ms", "timestampMs"],
      ["key", "key"],
      ["value", "value"],
    ]);
    const start = messages.find((each) => each.name === "StartPosition");
    expect(start?.oneofDecl).toEqual([{ name: "position" }]);
    expect(start?.field?.map((field) => [field.oneofIndex, field.proto3Optional])).toEqual(
      Array(4).fill([0, undefined]),
    );
  });
});

describe("reflection", () => {
  it("describes health, so that a tool can ask for it by name", async () => {
    const files = await filesOf("v1", "grpc.health.v1.Health");
    expect(messagesOf(files).map((each) => each.name)).toContain("HealthCheckRequest");
  });
});
