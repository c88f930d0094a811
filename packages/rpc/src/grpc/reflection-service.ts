/** Serves gRPC reflection, so that grpcurl and its kind work without the .proto files. */
import { readdirSync } from "node:fs";
import path from "node:path";
import type { Server } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProto } from "grpc-health-check";
import { PUBLIC_PROTO_DIRECTORY, protoRoot } from "./proto-root.js";
import { withStrictDescriptors } from "./reflection-descriptors.js";

let loaded: PackageDefinition | undefined;

export function addReflectionService(server: Server): void {
  loaded ??= loadPublicProtos();
  new ReflectionService(loaded).addToServer(server);
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
