/** Bytes and texts of conversations. */
import { readUtf8, utf8Bytes, writeUtf8 } from "@strandline/record";
import {
  CONSUMER_PROTOCOL_TYPE,
  type MemberProtocol,
  readSubscription,
  writeSubscription,
} from "../index.js";

export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Bytes(text));
  writeUtf8(bytes, 0, text);
  return bytes;
}

export function textOf(bytes: Uint8Array): string {
  return readUtf8(bytes, 0, bytes.length);
}

/** `range:t,u;sticky:t`: for consumers a subscription to the topics, for others the bare text. */
export function protocolsOf(text: string, type: string): MemberProtocol[] {
  if (text === "") return [];
  return text.split(";").map((protocol) => {
    const [name = "", words = ""] = protocol.split(":");
    // A word with an exclamation mark is no subscription, whatever the type says.
    const isConsumer = type === CONSUMER_PROTOCOL_TYPE && !words.endsWith("!");
    return { name, metadata: isConsumer ? subscriptionTo(words.split(",")) : bytesOf(words) };
  });
}

export function subscriptionTo(topics: readonly string[]): Uint8Array {
  return writeSubscription({
    topics,
    userData: undefined,
    owned: [],
    generation: -1,
    rack: undefined,
  });
}

/** Metadata as a conversation shows it. */
export function metadataText(metadata: Uint8Array): string {
  try {
    return readSubscription(metadata).topics.join(",");
  } catch {
    return textOf(metadata);
  }
}
