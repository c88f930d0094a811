import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { protoRoot } from "./grpc/proto-root.js";

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");

describe("generated sources", () => {
  it("are what the .proto files make today", () => {
    const script = path.join(repository, "scripts/codegen.mjs");
    const output = execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect(output).toBe("");
  });
});

describe(protoRoot, () => {
  it("is the checkout's directory where the package has no copy", () => {
    expect(protoRoot()).toBe(path.join(repository, "proto"));
    expect(existsSync(path.join(protoRoot(), "strandline/internal/v1/raft.proto"))).toBe(true);
  });

  it("is the package's own copy once it was packed", async () => {
    const root = mkdtempSync(path.join(tmpdir(), "strandline-rpc-"));
    try {
      const packageRoot = path.join(root, "packages/rpc");
      cpSync(path.join(repository, "proto"), path.join(root, "proto"), { recursive: true });
      cpSync(path.join(repository, "packages/rpc/src"), path.join(packageRoot, "src"), {
        recursive: true,
      });
      const copier = path.join(packageRoot, "copy-proto.mjs");
      cpSync(path.join(repository, "packages/rpc/copy-proto.mjs"), copier);
      execFileSync(process.execPath, [copier]);
      const file = path.join(packageRoot, "src/grpc/proto-root.ts");
      const packed = (await import(/* @vite-ignore */ file)) as { protoRoot: () => string };
      expect(packed.protoRoot()).toBe(path.join(packageRoot, "proto"));
      execFileSync(process.execPath, [copier, "--clean"]);
      expect(packed.protoRoot()).toBe(path.join(root, "proto"));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
