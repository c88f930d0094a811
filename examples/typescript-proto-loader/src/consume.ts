/** Reads a topic from its beginning to where it ends now. */
import { Failure, onAnyBroker, run } from "./any-broker.ts";
import { readArguments } from "./arguments.ts";
import {
  adminClient,
  type ConsumeResponse,
  logClient,
  type Record,
  type TopicDescription,
} from "./protos.ts";

/** How far each partition was read; @strandline/client would remember it for you. */
const nextOffsets = new Map<number, number | undefined>();

const { brokers, topic, json } = readArguments();

await run(async () => {
  for (const partition of await onAnyBroker(brokers, partitionsOf)) {
    nextOffsets.set(partition, undefined);
  }
  await onAnyBroker(brokers, readToEnd);
});

async function partitionsOf(address: string): Promise<number[]> {
  const client = adminClient(address);
  try {
    const described = await new Promise<TopicDescription>((resolve, reject) => {
      const deadline = Date.now() + 5_000;
      client.describeTopic({ name: topic }, { deadline }, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
    return described.partitions.map(({ partition }) => partition);
  } finally {
    client.close();
  }
}

/** Goes on from `nextOffsets`, wherever an earlier attempt broke off. */
async function readToEnd(address: string, progress: () => void): Promise<void> {
  const client = logClient(address);
  try {
    const partitions = [...nextOffsets].map(([partition, offset]) => {
      const start = offset === undefined ? ({ earliest: true } as const) : { offset };
      return { topic, partition, start };
    });
    // Without stopAtEnd the stream goes on for ever, with what comes as it comes.
    const stream = client.consume({ partitions, stopAtEnd: true });
    for await (const response of stream as AsyncIterable<ConsumeResponse>) {
      if (response.error !== null) throw new Failure(response.error);
      progress();
      const { partition, nextOffset, records } = response;
      for (const record of records) {
        console.log(json ? jsonOf(partition, record) : lineOf(partition, record));
      }
      nextOffsets.set(partition, nextOffset);
    }
  } finally {
    client.close();
  }
}

function lineOf(partition: number, { offset, key, value, headers }: Record): string {
  const names = headers.map((header) => header.key).join(",");
  return `${partition}/${offset} ${key ?? "null"} = ${value ?? "null"} [${names}]`;
}

/** The record in protobuf's JSON mapping, as tools such as grpcurl print it: bytes as base64. */
function jsonOf(partition: number, { offset, key, value, headers }: Record): string {
  return JSON.stringify({
    partition,
    offset: String(offset),
    key: key?.toString("base64"),
    value: value?.toString("base64"),
    headers: headers.map((header) => ({
      key: header.key,
      value: header.value?.toString("base64"),
    })),
  });
}
