/** Reads a topic from its beginning to where it ends now. */
import { type ConsumerRecord, connect } from "@strandline/client";
import { fail, readArguments } from "./command-line.ts";

const { brokers, topic, json } = readArguments();

const client = connect({ bootstrap: brokers });
try {
  const { partitions } = await client.admin.describeTopic(topic);
  // Without stopAtEnd the loop below goes on for ever, with what comes as it comes.
  const consumer = client.consumer({ stopAtEnd: true });
  await consumer.assign(
    partitions.map(({ partition }) => ({ topic, partition, start: "earliest" })),
  );
  // A leader that moves is none of our business: the client finds the next one, and goes on with
  // the record after the last it gave us.
  for await (const record of consumer) console.log(json ? jsonOf(record) : lineOf(record));
} catch (error) {
  fail(error);
} finally {
  await client.close();
}

function lineOf({ partition, offset, key, value, headers }: ConsumerRecord): string {
  const names = headers.map((header) => header.key).join(",");
  return `${partition}/${offset} ${textOf(key)} = ${textOf(value)} [${names}]`;
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "null" : Buffer.from(bytes).toString();
}

/** The record in protobuf's JSON mapping, as tools such as grpcurl print it: bytes as base64. */
function jsonOf({ partition, offset, key, value, headers }: ConsumerRecord): string {
  const base64 = (bytes: Uint8Array | null): string | undefined =>
    bytes === null ? undefined : Buffer.from(bytes).toString("base64");
  return JSON.stringify({
    partition,
    offset: String(offset),
    key: base64(key),
    value: base64(value),
    headers: headers.map((header) => ({ key: header.key, value: base64(header.value) })),
  });
}
