/** A gRPC client as somebody else would write it: grpc-js's own, over the .proto files. */
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoRoot } from "../grpc/proto-root.js";

/** A client of a service, such as "strandline.v1.Log". */
export function foreignClient(address: string, file: string, service: string): Client {
  const definition = loadSync(file, { includeDirs: [protoRoot()], longs: Number });
  let found: unknown = loadPackageDefinition(definition);
  for (const name of service.split(".")) found = (found as GrpcObject)[name];
  const Constructor = found as ServiceClientConstructor;
  return new Constructor(address, credentials.createInsecure());
}

/** Calls a unary method by its name; resolves with the answer, or the error as a value. */
export function callForeign(client: Client, name: string, request: object): Promise<unknown> {
  return new Promise((resolve) => {
    const method = Reflect.get(client, name) as (
      request: object,
      callback: (error: ServiceError | null, answer: unknown) => void,
    ) => void;
    method.call(client, request, (error, answer) => resolve(error ?? answer));
  });
}
