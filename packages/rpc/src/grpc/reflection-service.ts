/**
 * Answers gRPC reflection, so that grpcurl and its kind work without the .proto files. Loaded with
 * the first question: it reads those files, for a fifth of what the start of a node takes.
 */
import { EventEmitter } from "node:events";
import { readdirSync } from "node:fs";
import path from "node:path";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProto } from "grpc-health-check";
import { PUBLIC_PROTO_DIRECTORY, protoRoot } from "./proto-root.js";
import { withStrictDescriptors } from "./reflection-descriptors.js";

/** What the library hands to a server: one method, with the codecs of its messages. */
interface Added {
  readonly path: string;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (message: unknown) => Buffer;
  /** Takes a conversation as grpc-js would make it. */
  readonly handle: (conversation: EventEmitter) => void;
}

let handlers: ReadonlyMap<string, Added> | undefined;

/** A conversation over reflection, as grpc-js would make it: bytes in by `emit`, out by `send`. */
export function reflect(path: string, send: (bytes: Buffer) => void): (bytes: Buffer) => void {
  handlers ??= loadHandlers();
  const added = handlers.get(path);
  if (added === undefined) throw new Error(`reflection has no method ${path}`);
  const conversation = new EventEmitter();
  Reflect.set(conversation, "write", (message: unknown) => send(added.responseSerialize(message)));
  added.handle(conversation);
  return (bytes) => conversation.emit("data", added.requestDeserialize(bytes));
}

function loadHandlers(): ReadonlyMap<string, Added> {
  const found = new Map<string, Added>();
  new ReflectionService(loadPublicProtos()).addToServer({
    addService: (
      service: Record<string, Omit<Added, "handle">>,
      handling: Record<string, Added["handle"]>,
    ) => {
      for (const [name, method] of Object.entries(service)) {
        const { path, requestDeserialize, responseSerialize } = method;
        const handle = handling[name] as Added["handle"];
        found.set(path, { path, requestDeserialize, responseSerialize, handle });
      }
    },
  });
  return found;
}

/** What clients may call, and health; the protocols between nodes are nobody's business. */
function loadPublicProtos(): PackageDefinition {
  const root = protoRoot();
  const names = readdirSync(path.join(root, PUBLIC_PROTO_DIRECTORY)).sort();
  const files = names.filter((name) => name.endsWith(".proto"));
  const paths = files.map((name) => `${PUBLIC_PROTO_DIRECTORY}/${name}`);
  // Fields keep their names: from the changed ones no reader could tell the JSON names.
  const loaded = loadSync([...paths, healthProto], { includeDirs: [root], keepCase: true });
  return withStrictDescriptors(loaded);
}
