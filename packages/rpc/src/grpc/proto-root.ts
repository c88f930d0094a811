/** Where the .proto files are: in the published package beside `dist`, in a checkout at the top. */
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Below each root; names what is looked for. */
export const PUBLIC_PROTO_DIRECTORY = "strandline/v1";

/** The directory that imports of .proto files are relative to. Throws when there is none. */
export function protoRoot(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  // This file is in `src/grpc` or `dist/grpc` of the package.
  const candidates = ["../../proto", "../../../../proto"];
  const roots = candidates.map((candidate) => path.resolve(here, candidate));
  const root = roots.find((each) => existsSync(path.join(each, PUBLIC_PROTO_DIRECTORY)));
  if (root === undefined) throw new Error(`no .proto files in ${roots.join(" or ")}`);
  return root;
}
