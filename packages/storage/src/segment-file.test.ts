import { describe, expect, it } from "vitest";
import { RetiredFileError, SegmentFile } from "./segment-file.js";
import { MemoryFileSystem } from "./testing/memory-file-system.js";

function file(): { files: MemoryFileSystem; segment: SegmentFile; opened: () => number } {
  const files = new MemoryFileSystem();
  files.putDirectory("/d");
  files.put("/d/a", new Uint8Array([1, 2, 3]));
  let count = 0;
  files.before = (operation) => {
    if (operation === "open") count += 1;
  };
  return { files, segment: new SegmentFile(files, "/d/a"), opened: () => count };
}

describe(SegmentFile, () => {
  it("opens once for many users, also when they come at the same time", async () => {
    const { segment, opened } = file();
    const [one, two] = await Promise.all([
      segment.acquire({ create: false }),
      segment.acquire({ create: false }),
    ]);
    expect(one).toBe(two);
    expect(opened()).toBe(1);
  });

  it("closes when idle, and opens again when it is needed", async () => {
    const { segment, opened } = file();
    const handle = await segment.acquire({ create: false });
    segment.closeIdle();
    expect(segment.isOpen).toBe(true);
    segment.release();
    segment.closeIdle();
    expect(segment.isOpen).toBe(false);
    await expect(handle.sizeBytes()).rejects.toMatchObject({ code: "EBADF" });
    expect(await (await segment.acquire({ create: false })).sizeBytes()).toBe(3);
    expect(opened()).toBe(2);
  });

  it("lets a user finish after it was retired, and nobody begin", async () => {
    const { files, segment } = file();
    const handle = await segment.acquire({ create: false });
    let isClosed = false;
    const retiring = Promise.all([segment.retire(), segment.retire()]).then(() => {
      isClosed = true;
    });
    await files.remove("/d/a");
    expect(await handle.read(new Uint8Array(3), 0)).toBe(3);
    await expect(segment.acquire({ create: false })).rejects.toBeInstanceOf(RetiredFileError);
    expect(isClosed).toBe(false);
    segment.release();
    await retiring;
    await expect(handle.sizeBytes()).rejects.toMatchObject({ code: "EBADF" });
  });

  it("holds no reference after a failed open", async () => {
    const { files, segment } = file();
    files.drop("/d/a");
    await expect(segment.acquire({ create: false })).rejects.toMatchObject({ code: "ENOENT" });
    files.put("/d/a", new Uint8Array([1]));
    expect(await (await segment.acquire({ create: false })).sizeBytes()).toBe(1);
    segment.release();
    await segment.retire();
  });

  it("is not released more often than it was acquired", () => {
    expect(() => file().segment.release()).toThrow("released once per acquisition");
  });
});
