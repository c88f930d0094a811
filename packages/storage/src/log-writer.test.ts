import { describe, expect, it } from "vitest";
import { LogWriter } from "./log-writer.js";
import { Segment } from "./segment.js";
import { failure, MemoryFileSystem } from "./testing/memory-file-system.js";
import { settle } from "./testing/world.js";

interface Rig {
  readonly files: MemoryFileSystem;
  readonly writer: LogWriter;
  readonly told: (number | string)[];
  readonly seen: string[];
  readonly segment: (base: number) => Segment;
}

function rig(isSynced = true): Rig {
  const files = new MemoryFileSystem();
  files.putDirectory("/d");
  const told: (number | string)[] = [];
  const seen: string[] = [];
  files.before = (operation) => {
    if (operation !== "open" && operation !== "create") seen.push(operation);
  };
  const writer = new LogWriter(
    files,
    { directory: "/d", endOffset: 0, isSynced },
    {
      onDurable: (endOffset) => told.push(endOffset),
      onFailed: (error) => told.push(error.message),
    },
  );
  return { files, writer, told, seen, segment: (base) => new Segment(files, "/d", base) };
}

/** Work for the disk waits until what this gives back is called. */
function holdSends(files: MemoryFileSystem): () => void {
  let send = (): void => undefined;
  const sent = new Promise<void>((resolve) => {
    send = resolve;
  });
  Object.assign(files, { afterSends: async () => await sent });
  return send;
}

const chunk = (value: number, bytes = 10): Uint8Array => new Uint8Array(bytes).fill(value);

describe(LogWriter, () => {
  it("has one write and sync in flight, and gathers the rest", async () => {
    const { files, writer, told, segment, seen } = rig();
    const one = segment(0);
    let inFlight = 0;
    files.gate = async (operation) => {
      if (operation !== "write" && operation !== "dataSync") return;
      inFlight += 1;
      expect(inFlight).toBe(1);
      await settle();
      inFlight -= 1;
    };
    for (let index = 0; index < 5; index++) writer.append(one, chunk(index), index + 1);
    expect(writer.pendingBytes).toBe(50);
    await writer.durable(5);
    expect(told).toEqual([1, 5]);
    expect(seen).toEqual(["write", "dataSync", "syncDirectory", "write", "dataSync"]);
    expect(writer.pendingBytes).toBe(0);
    expect([...files.bytes("/d/00000000000000000000.log")]).toEqual(
      [0, 1, 2, 3, 4].flatMap((value) => [...chunk(value)]),
    );
  });

  it("keeps the order over segments, each with a write of its own", async () => {
    const { files, writer, told, segment } = rig();
    const [one, two] = [segment(0), segment(3)];
    writer.append(one, chunk(1), 1);
    writer.append(one, chunk(2), 2);
    writer.append(one, chunk(3), 3);
    writer.append(two, chunk(4), 4);
    await writer.durable(4);
    expect(told).toEqual([1, 3, 4]);
    expect(files.bytes("/d/00000000000000000000.log")).toHaveLength(30);
    expect(files.bytes("/d/00000000000000000003.log")).toHaveLength(10);
  });

  it("starts the next write before it tells of the last", async () => {
    const { files, segment } = rig();
    const seen: string[] = [];
    const writer: LogWriter = new LogWriter(
      files,
      { directory: "/d", endOffset: 0, isSynced: true },
      { onDurable: (endOffset) => seen.push(`told ${endOffset}`), onFailed: () => undefined },
    );
    files.before = (operation) => seen.push(operation);
    const one = segment(0);
    writer.append(one, chunk(1), 1);
    writer.append(one, chunk(2), 2);
    await writer.durable(2);
    expect(seen.indexOf("told 1")).toBeGreaterThan(seen.lastIndexOf("write"));
  });

  it("lets what is to be sent go first, and writes at once what came meanwhile", async () => {
    const { files, writer, told, seen, segment } = rig();
    const send = holdSends(files);
    const one = segment(0);
    writer.append(one, chunk(1), 1);
    writer.append(one, chunk(2), 2);
    await settle();
    expect(seen).toEqual([]);
    send();
    await writer.durable(2);
    expect(told).toEqual([2]);
    expect(seen).toEqual(["write", "dataSync", "syncDirectory"]);
  });

  it("writes nothing when it failed before its turn came", async () => {
    const { files, writer, seen, segment } = rig();
    const send = holdSends(files);
    writer.append(segment(0), chunk(1), 1);
    writer.fail(new Error("elsewhere"));
    send();
    await writer.idle();
    expect(seen).toEqual([]);
    await expect(writer.durable(1)).rejects.toThrow("elsewhere");
  });

  it("knows what went through the system's cache: what is for readers, and what is not synced", async () => {
    const { writer, segment } = rig(false);
    const one = segment(0);
    const seen: number[] = [];
    for (const endOffset of [1, 2]) {
      writer.append(one, chunk(endOffset), endOffset);
      await writer.durable(endOffset);
      seen.push(one.cachedFrom);
    }
    // The first of a file is synced with its name.
    expect(seen).toEqual([Number.POSITIVE_INFINITY, 10]);
  });

  it("takes appends from its observer", async () => {
    const { files, segment } = rig();
    const one = segment(0);
    const writer: LogWriter = new LogWriter(
      files,
      { directory: "/d", endOffset: 0, isSynced: true },
      {
        onDurable: (endOffset) => {
          if (endOffset < 5) writer.append(one, chunk(endOffset), endOffset + 1);
        },
        onFailed: () => undefined,
      },
    );
    writer.append(one, chunk(0), 1);
    await settle();
    expect(writer.durableEndOffset).toBe(5);
  });

  it("fails once: waiters are refused, and nothing is written any more", async () => {
    const { files, writer, told, seen, segment } = rig();
    files.before = (operation) => {
      seen.push(operation);
      if (operation === "dataSync") throw failure("EIO", "disk");
    };
    const one = segment(0);
    writer.append(one, chunk(1), 1);
    writer.append(one, chunk(2), 2);
    await expect(writer.durable(2)).rejects.toThrow("EIO");
    await expect(writer.durable(1)).rejects.toThrow("EIO");
    await writer.idle();
    expect(told).toEqual(["EIO: disk"]);
    expect(seen.filter((operation) => operation === "write")).toHaveLength(1);
    expect(writer.durableEndOffset).toBe(0);
    expect(one.writtenBytes).toBe(0);
  });

  it.each(["write", "dataSync"] as const)(
    "loses, in a crash before the %s of a durable write ends, only what was never told",
    async (held) => {
      const { files, writer, told, segment } = rig();
      const one = segment(0);
      writer.append(one, chunk(1, 2000), 1);
      await writer.durable(1);
      files.gate = async (operation) => {
        if (operation === held) await new Promise(() => undefined);
      };
      writer.append(one, chunk(2, 2000), 2);
      await settle();
      expect(told).toEqual([1]);
      const path = "/d/00000000000000000000.log";
      for (const survives of [0, 1, 2]) {
        const after = files.crash((bound) => Math.min(survives, bound - 1));
        expect([...after.bytes(path).subarray(0, 2000)]).toEqual([...chunk(1, 2000)]);
      }
    },
  );

  it("syncs the whole file when the log is synced from now on", async () => {
    const { files, writer, seen, segment } = rig(false);
    const one = segment(0);
    for (const end of [1, 2]) {
      writer.append(one, chunk(end), end);
      await writer.durable(end);
    }
    writer.setSynced(true);
    writer.append(one, chunk(3), 3);
    await writer.durable(3);
    writer.append(one, chunk(4), 4);
    await writer.durable(4);
    const tail = ["write", "dataSync"];
    expect(seen).toEqual([...tail, "syncDirectory", "write", ...tail, ...tail]);
    const after = files.crash(() => 0);
    expect(after.bytes("/d/00000000000000000000.log")).toHaveLength(40);
  });

  it("treats an observer that throws as a failure, and says so once", async () => {
    const files = new MemoryFileSystem();
    files.putDirectory("/d");
    const failures: string[] = [];
    const writer = new LogWriter(
      files,
      { directory: "/d", endOffset: 0, isSynced: true },
      {
        onDurable: () => {
          throw new Error("broken invariant");
        },
        onFailed: (error) => failures.push(error.message),
      },
    );
    writer.append(new Segment(files, "/d", 0), chunk(1), 1);
    await settle();
    expect(failures).toEqual(["broken invariant"]);
  });

  it("syncs only what is new when it is told to sync", async () => {
    const { writer, seen, segment } = rig(false);
    const one = segment(0);
    writer.append(one, chunk(1), 1);
    await writer.durable(1);
    writer.append(one, chunk(2), 2);
    await writer.durable(2);
    expect(one.syncedBytes).toBe(10);
    const before = seen.length;
    await writer.syncSegment(one);
    await writer.syncSegment(one);
    expect(seen.slice(before)).toEqual(["dataSync"]);
    expect(one.syncedBytes).toBe(20);
  });
});
