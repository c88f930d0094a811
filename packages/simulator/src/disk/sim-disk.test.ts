import { describe, expect, it } from "vitest";
import { SimRandom } from "../random.js";
import { SimDisk } from "./sim-disk.js";

function namesOf(disk: SimDisk): string {
  return disk
    .files()
    .map(({ path }) => path)
    .sort()
    .join(" ");
}

/** The names that are left of what `act` does to a fresh disk, over many power cuts. */
function outcomes(act: (disk: SimDisk) => void): Set<string> {
  const seen = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const disk = new SimDisk();
    act(disk);
    disk.loseUnsynced(SimRandom.fromSeed(seed));
    seen.add(namesOf(disk));
  }
  return seen;
}

function sync(disk: SimDisk, path: string): void {
  disk.syncDirectory(path, disk.mark);
}

describe(SimDisk, () => {
  it("holds names in directories, and says so when one is missing or of the wrong kind", () => {
    const disk = new SimDisk();
    disk.makeDirectory("/data/topics");
    disk.open("/data/b", true);
    disk.open("/data/a", true);
    expect(disk.list("/data")).toEqual(["a", "b", "topics"]);
    expect(disk.list("/nowhere")).toEqual([]);
    expect(disk.exists("/data/a")).toBe(true);
    expect(() => disk.open("/data/c", false)).toThrow(/ENOENT/);
    expect(() => disk.open("/nowhere/c", true)).toThrow(/ENOENT/);
    expect(() => disk.open("/data/topics", true)).toThrow(/EISDIR/);
    expect(() => disk.makeDirectory("/data/a/b")).toThrow(/ENOTDIR/);
    expect(() => disk.remove("/data/topics")).toThrow(/EISDIR/);
    expect(() => disk.rename("/data/nothing", "/data/x")).toThrow(/ENOENT/);
    disk.remove("/data/nothing");
    disk.removeDirectory("/data/nothing");
    disk.removeDirectory("/data");
    expect(disk.exists("/data")).toBe(false);
  });

  it("may forget a created name until its directory was synced", () => {
    const create = (disk: SimDisk): void => void disk.open("/a", true);
    expect(outcomes(create)).toEqual(new Set(["", "/a"]));
    const createSynced = (disk: SimDisk): void => {
      create(disk);
      sync(disk, "/");
    };
    expect(outcomes(createSynced)).toEqual(new Set(["/a"]));
  });

  it("forgets a synced file with its directory, when nobody synced the directory's own name", () => {
    const seen = outcomes((disk) => {
      disk.makeDirectory("/data");
      disk.open("/data/a", true);
      sync(disk, "/data");
    });
    expect(seen).toEqual(new Set(["", "/data/a"]));
  });

  it("moves a name wholly or not at all, also between directories", () => {
    const seen = outcomes((disk) => {
      disk.makeDirectory("/x");
      disk.makeDirectory("/y");
      disk.open("/x/a", true);
      sync(disk, "/");
      sync(disk, "/x");
      disk.rename("/x/a", "/y/b");
    });
    expect(seen).toEqual(new Set(["/x/a", "/y/b"]));
  });

  it("lets a synced move take its file's creation along", () => {
    const seen = outcomes((disk) => {
      disk.makeDirectory("/x");
      disk.makeDirectory("/y");
      sync(disk, "/");
      disk.open("/x/a", true);
      disk.rename("/x/a", "/y/a");
      sync(disk, "/y");
    });
    expect(seen).toEqual(new Set(["/y/a"]));
  });

  it("keeps unrelated changes in any combination, and none without the one it rests on", () => {
    const seen = outcomes((disk) => {
      disk.open("/a", true);
      disk.rename("/a", "/b");
      disk.open("/c", true);
    });
    expect(seen).toEqual(new Set(["", "/a", "/b", "/c", "/a /c", "/b /c"]));
  });

  it("may bring a removed file back, with what was durable in it", () => {
    const contents = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const disk = new SimDisk();
      const file = disk.open("/a", true);
      sync(disk, "/");
      file.write(0, Uint8Array.of(1));
      file.makeDurable(file.mark);
      disk.remove("/a");
      disk.loseUnsynced(SimRandom.fromSeed(seed));
      contents.add(disk.exists("/a") ? disk.open("/a", false).lengthBytes : -1);
    }
    expect(contents).toEqual(new Set([1, -1]));
  });

  it("replaces the target of a move, and never shows a third content under its name", () => {
    const contents = new Set<number | undefined>();
    for (let seed = 0; seed < 100; seed++) {
      const disk = new SimDisk();
      for (const [path, value] of [
        ["/a", 1],
        ["/a.new", 2],
      ] as const) {
        const file = disk.open(path, true);
        file.write(0, Uint8Array.of(value));
        file.makeDurable(file.mark);
      }
      sync(disk, "/");
      disk.rename("/a.new", "/a");
      disk.loseUnsynced(SimRandom.fromSeed(seed));
      contents.add(disk.open("/a", false).content()[0]);
    }
    expect(contents).toEqual(new Set([1, 2]));
  });

  it("counts the bytes it holds", () => {
    const disk = new SimDisk();
    disk.open("/a", true).write(0, new Uint8Array(10));
    disk.makeDirectory("/x");
    disk.open("/x/b", true).write(5, new Uint8Array(10));
    expect(disk.usedBytes()).toBe(25);
  });
});
