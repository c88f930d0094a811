import { mkdtemp, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeFileSystem as files } from "./file-system.js";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "strandline-files-"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function contents(path: string): Promise<string> {
  const handle = await files.open(path, { create: false });
  const target = new Uint8Array(await handle.sizeBytes());
  await handle.read(target, 0);
  await handle.close();
  return new TextDecoder().decode(target);
}

describe("nodeFileSystem", () => {
  it("writes chunks one after the other from a position and reads them back", async () => {
    const path = join(root, "a");
    const handle = await files.open(path, { create: true });
    await handle.write([bytes("one"), bytes(""), bytes("two")], 0);
    await handle.write([bytes("TWO")], 3);
    await handle.dataSync();
    await handle.close();
    expect(await contents(path)).toBe("oneTWO");
  });

  it("writes more chunks than one system call takes", async () => {
    const handle = await files.open(join(root, "a"), { create: true });
    const chunks = Array.from({ length: 5000 }, (_, index) => bytes(String(index % 10)));
    await handle.write(chunks, 0);
    expect(await handle.sizeBytes()).toBe(5000);
    await handle.close();
    expect(await contents(join(root, "a"))).toBe("0123456789".repeat(500));
  });

  it("writes durably what it is given, from a position, and more than one call takes", async () => {
    const handle = await files.open(join(root, "a"), { create: true });
    await handle.writeDurably([bytes("one"), bytes(""), bytes("two")], 0);
    await handle.write([bytes("TWO")], 3);
    await handle.dataSync();
    await handle.writeDurably([bytes("!")], 6);
    await handle.writeDurably([], 7);
    const chunks = Array.from({ length: 3000 }, (_, index) => bytes(String(index % 10)));
    await handle.writeDurably(chunks, 7);
    await handle.close();
    expect(await contents(join(root, "a"))).toBe(`oneTWO!${"0123456789".repeat(300)}`);
  });

  it("writes durably to the file that was opened, whatever has its name by now", async () => {
    const handle = await files.open(join(root, "a"), { create: true });
    await files.rename(join(root, "a"), join(root, "b"));
    await writeFile(join(root, "a"), "other");
    await handle.writeDurably([bytes("ours")], 0);
    await handle.close();
    expect(await contents(join(root, "a"))).toBe("other");
    expect(await contents(join(root, "b"))).toBe("ours");
  });

  it("closes both descriptors of a file that was written durably", async () => {
    const path = join(root, "a");
    const handle = await files.open(path, { create: true });
    const write = handle.writeDurably([bytes("x")], 0);
    await Promise.all([write.catch(() => undefined), handle.close()]);
    const open = (await files.list("/proc/self/fd")).map(async (name) => {
      return await readlink(`/proc/self/fd/${name}`).catch(() => "");
    });
    expect(await Promise.all(open)).not.toContain(path);
  });

  it("reads as far as the file goes and says how far that was", async () => {
    const handle = await files.open(join(root, "a"), { create: true });
    await handle.write([bytes("abcdef")], 0);
    const target = new Uint8Array(10);
    expect(await handle.read(target, 4)).toBe(2);
    expect(await handle.read(target, 100)).toBe(0);
    await handle.close();
  });

  it("truncates, and keeps what is before the cut", async () => {
    const handle = await files.open(join(root, "a"), { create: true });
    await handle.write([bytes("abcdef")], 0);
    await handle.truncate(2);
    expect(await handle.sizeBytes()).toBe(2);
    await handle.close();
    expect(await contents(join(root, "a"))).toBe("ab");
  });

  it("does not create a file unless asked", async () => {
    const error = await files.open(join(root, "none"), { create: false }).catch((e: Error) => e);
    expect(error).toMatchObject({ code: "ENOENT" });
    expect(await files.exists(join(root, "none"))).toBe(false);
  });

  it("keeps the contents of an existing file that is opened to be created", async () => {
    await writeFile(join(root, "a"), "kept");
    await (await files.open(join(root, "a"), { create: true })).close();
    expect(await contents(join(root, "a"))).toBe("kept");
  });

  it("makes files and directories that only their owner can use", async () => {
    await files.makeDirectory(join(root, "x", "y"));
    await (await files.open(join(root, "x", "y", "a"), { create: true })).close();
    expect((await stat(join(root, "x"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(root, "x", "y"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(root, "x", "y", "a"))).mode & 0o777).toBe(0o600);
  });

  it("says whether a directory is a new one", async () => {
    expect(await files.makeDirectory(join(root, "x", "y"))).toBe(true);
    expect(await files.makeDirectory(join(root, "x", "y"))).toBe(false);
    expect(await files.makeDirectory(join(root, "x"))).toBe(false);
  });

  it("syncs a directory for many at once, and refuses one that is missing", async () => {
    await Promise.all(Array.from({ length: 20 }, async () => await files.syncDirectory(root)));
    const missing = Array.from({ length: 3 }, async () => {
      await files.syncDirectory(join(root, "none"));
    });
    const settled = await Promise.allSettled(missing);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  it("lists names sorted by code unit, and nothing for a missing directory", async () => {
    for (const name of ["b", "a", "B", "10", "9"]) await writeFile(join(root, name), "");
    expect(await files.list(root)).toEqual(["10", "9", "B", "a", "b"]);
    expect(await files.list(join(root, "none"))).toEqual([]);
  });

  it("replaces the target of a rename", async () => {
    await writeFile(join(root, "from"), "new");
    await writeFile(join(root, "to"), "old");
    await files.rename(join(root, "from"), join(root, "to"));
    await files.syncDirectory(root);
    expect(await contents(join(root, "to"))).toBe("new");
    expect(await files.exists(join(root, "from"))).toBe(false);
  });

  it("removes files and directories, and does not mind when they are gone", async () => {
    await files.makeDirectory(join(root, "x"));
    await writeFile(join(root, "x", "a"), "");
    await files.remove(join(root, "x", "a"));
    await files.remove(join(root, "x", "a"));
    await writeFile(join(root, "x", "b"), "");
    await files.removeDirectory(join(root, "x"));
    await files.removeDirectory(join(root, "x"));
    expect(await files.list(root)).toEqual([]);
  });

  it("says how many bytes are free", async () => {
    const space = await files.space(root);
    expect(space?.freeBytes).toBeGreaterThan(0);
    expect(space?.totalBytes).toBeGreaterThanOrEqual(space?.freeBytes ?? 0);
  });

  it("refuses work on a closed file instead of touching another file's descriptor", async () => {
    const handle = await files.open(join(root, "a"), { create: true });
    await handle.close();
    await handle.close();
    await expect(handle.write([bytes("x")], 0)).rejects.toMatchObject({ code: "EBADF" });
    await expect(handle.writeDurably([bytes("x")], 0)).rejects.toMatchObject({ code: "EBADF" });
    await expect(handle.dataSync()).rejects.toMatchObject({ code: "EBADF" });
  });
});
