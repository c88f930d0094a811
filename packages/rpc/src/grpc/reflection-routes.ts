/** The routes of gRPC reflection; what answers there is loaded when somebody asks. */
import { type RpcMethod, type RpcReceiver, type RpcRoute, streamRoute } from "@strandline/platform";
import { asBuffer } from "./buffers.js";

const PATHS = ["v1", "v1alpha"].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

/** Messages stay bytes here: the library brings their codecs. */
const bytesCodec = {
  encode: (bytes: Uint8Array): Uint8Array => bytes,
  decode: (bytes: Uint8Array): Uint8Array => bytes,
};

export function reflectionRoutes(): readonly RpcRoute[] {
  return PATHS.map((path) => {
    const method: RpcMethod<Uint8Array, Uint8Array> = {
      path,
      kind: "bidi",
      request: bytesCodec,
      response: bytesCodec,
    };
    return streamRoute(method, (stream): RpcReceiver<Uint8Array> => {
      const loaded = import("./reflection-service.js").then(({ reflect }) =>
        reflect(path, (bytes) => stream.send(bytes)),
      );
      let last: Promise<void> = Promise.resolve();
      const inTurn = (task: () => Promise<void> | void): void => {
        last = last.then(task).catch((error: unknown) => stream.abort(error as Error));
      };
      return {
        onMessage: (bytes) => inTurn(async () => (await loaded)(asBuffer(bytes))),
        onEnd: (error) => {
          if (error === undefined) inTurn(() => stream.end());
        },
      };
    });
  });
}
