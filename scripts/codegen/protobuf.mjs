/** protobufjs, as it comes with proto-loader: only its parser is used, and only here. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
export const protobuf = createRequire(require.resolve("@grpc/proto-loader"))("protobufjs");
