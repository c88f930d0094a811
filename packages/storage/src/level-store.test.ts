import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyValueStore } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLevelStore, StoreError } from "./level-store.js";

let root = "";
let store: KeyValueStore;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
const put = (key: string, value = key): { kind: "put"; key: string; value: Uint8Array } => ({
  kind: "put",
  key,
  value: bytes(value),
});

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "strandline-level-"));
  store = await openLevelStore(join(root, "store"));
});

afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true, force: true });
});

describe(openLevelStore, () => {
  it("gives back what was put, after a restart too, and undefined for the rest", async () => {
    await store.write([put("a", "1"), put("b", "2")], { sync: true });
    await store.write([{ kind: "delete", key: "a" }], { sync: false });
    await store.close();
    store = await openLevelStore(join(root, "store"));
    expect(await store.get("a")).toBeUndefined();
    expect(text(await store.get("b"))).toBe("2");
  });

  it("lists a half-open range in the order of the keys' bytes", async () => {
    const keys = ["a/10", "a/9", "a/B", "a/a", "a/\u{10000}", "a/\uffee", "b", "a"];
    await store.write(
      keys.map((key) => put(key)),
      { sync: false },
    );
    const found = (await store.range("a/", "a0")).map(([key]) => key);
    expect(found).toEqual(["a/10", "a/9", "a/B", "a/a", "a/\uffee", "a/\u{10000}"]);
    expect(await store.range("a", "a")).toEqual([]);
    expect((await store.range("b", "c")).map(([, value]) => text(value))).toEqual(["b"]);
  });

  it("applies the operations of a batch in their order", async () => {
    const operations = [put("a", "1"), { kind: "delete" as const, key: "a" }, put("a", "2")];
    await store.write(operations, { sync: false });
    expect(text(await store.get("a"))).toBe("2");
  });

  it("says in words that another process holds the store", async () => {
    const error = await openLevelStore(join(root, "store")).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).reason).toBe("locked");
    expect((error as StoreError).message).toContain("in use by another process");
  });

  it("says in words that the store is damaged", async () => {
    await store.write([put("a")], { sync: true });
    await store.close();
    const names = await readdir(join(root, "store"));
    const manifest = join(root, "store", names.find((name) => name.startsWith("MANIFEST")) ?? "");
    const contents = await readFile(manifest);
    await writeFile(manifest, contents.fill(0x5a, 0, 20));
    const error = await openLevelStore(join(root, "store")).catch((e: unknown) => e);
    expect((error as StoreError).reason).toBe("damaged");
    await rm(join(root, "store"), { recursive: true });
    store = await openLevelStore(join(root, "store"));
  });

  it("refuses work after it was closed", async () => {
    await store.close();
    await expect(store.get("a")).rejects.toThrow();
    await expect(store.write([put("a")], { sync: false })).rejects.toThrow();
  });
});
