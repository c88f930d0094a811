import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokerEpoch, clusterId, isUuidText, nodeId, topicId } from "@strandline/model";
import { nodeFileSystem, nodeRandom, nullLogger } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataDirectory, DataDirectoryError, type DataDirectoryPorts } from "./data-directory.js";
import { failure, MemoryFileSystem } from "./testing/memory-file-system.js";
import { MemoryStore } from "./testing/memory-store.js";

const ONE = nodeId(1);
const CLUSTER = clusterId("ccccccccccccccccccccc0");
const TOPIC = topicId("ttttttttttttttttttttt0");

/** A directory in memory, with stores that outlive a close. */
class Machine {
  files = new MemoryFileSystem();
  stores = new Map<string, MemoryStore>();

  get ports(): DataDirectoryPorts {
    return {
      fileSystem: this.files,
      openStore: (path) => {
        const store = this.stores.get(path) ?? new MemoryStore();
        this.stores.set(path, store);
        return Promise.resolve(store);
      },
      random: nodeRandom,
      logger: nullLogger,
    };
  }

  async open(node = ONE): Promise<DataDirectory> {
    return await DataDirectory.open(this.ports, { path: "/data", nodeId: node });
  }

  crash(): void {
    this.files = this.files.crash(() => 1);
    for (const [path, store] of this.stores)
      this.stores.set(
        path,
        store.crash(() => 0),
      );
  }
}

async function reasonOf(opening: Promise<unknown>): Promise<DataDirectoryError> {
  const error = await opening.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DataDirectoryError);
  return error as DataDirectoryError;
}

describe(DataDirectory, () => {
  it("has an identity from its first use on, whatever happens", async () => {
    const machine = new Machine();
    const { directoryId } = await machine.open();
    expect(isUuidText(directoryId)).toBe(true);
    machine.crash();
    expect((await machine.open()).directoryId).toBe(directoryId);
    expect((await new Machine().open()).directoryId).not.toBe(directoryId);
  });

  it("belongs to one node", async () => {
    const machine = new Machine();
    await (await machine.open()).close();
    const error = await reasonOf(machine.open(nodeId(2)));
    expect(error.reason).toBe("other-node");
    expect(error.message).toContain("belongs to node 1, and this is node 2");
    expect((await machine.open()).nodeId).toBe(1);
  });

  it("belongs to one cluster, which it remembers at once", async () => {
    const machine = new Machine();
    const directory = await machine.open();
    expect(directory.clusterId).toBeUndefined();
    await directory.rememberCluster(CLUSTER);
    machine.crash();
    const again = await machine.open();
    expect(again.clusterId).toBe(CLUSTER);
    await again.rememberCluster(CLUSTER);
    const other = clusterId("ddddddddddddddddddddd0");
    const error = await reasonOf(again.rememberCluster(other));
    expect(error.reason).toBe("other-cluster");
    expect(error.message).toContain(CLUSTER);
    expect(error.message).toContain(other);
  });

  it("knows a clean shutdown, and knows it once", async () => {
    const machine = new Machine();
    const first = await machine.open();
    expect(first.cleanShutdownEpoch).toBe(-1);
    await first.close({ cleanShutdownEpoch: brokerEpoch(77) });
    await first.close();
    machine.crash();
    expect((await machine.open()).cleanShutdownEpoch).toBe(77);
    // That open was not followed by a close: whatever comes next comes after a crash.
    machine.crash();
    expect((await machine.open()).cleanShutdownEpoch).toBe(-1);
  });

  it("says nothing of a clean shutdown when it is closed without", async () => {
    const machine = new Machine();
    await (await machine.open()).close();
    expect((await machine.open()).cleanShutdownEpoch).toBe(-1);
  });

  it("says why it cannot be written to", async () => {
    const words = {
      EACCES: "cannot be written to by this user",
      EROFS: "mounted read-only",
      ENOSPC: "disk that is full",
      EIO: "cannot be used: EIO",
    };
    for (const [code, text] of Object.entries(words)) {
      for (const failing of ["makeDirectory", "create", "write", "dataSync"]) {
        const machine = new Machine();
        machine.files.before = (operation, path) => {
          if (operation === failing) throw failure(code, path);
        };
        const error = await reasonOf(machine.open());
        expect(error.reason).toBe("not-writable");
        expect(error.message).toContain(text);
        expect(error.message).toContain("/data");
      }
    }
  });

  it("finishes the removal of a log that a crash cut short", async () => {
    const machine = new Machine();
    const directory = await machine.open();
    const path = `${directory.logPath(TOPIC, 3)}.deleted`;
    machine.files.putDirectory(path);
    machine.files.put(`${path}/00000000000000000000.log`, new Uint8Array(9));
    const key = `log/${TOPIC}-3/state`;
    const state = { kind: "put" as const, key, value: new Uint8Array(1) };
    const other = { kind: "put" as const, key: `log/${TOPIC}-30/state`, value: new Uint8Array(1) };
    await directory.checkpoints.write([state, other], { sync: true });
    await directory.close();
    const again = await machine.open();
    expect(await machine.files.list(again.topicsPath)).toEqual([]);
    expect(await again.checkpoints.get(key)).toBeUndefined();
    expect(await again.checkpoints.get(other.key)).toBeDefined();
  });

  it("refuses a directory that does not say whose it is", async () => {
    const machine = new Machine();
    const directory = await machine.open();
    const value = new TextEncoder().encode("nonsense");
    await directory.checkpoints.write([{ kind: "put", key: "meta/directory-id", value }], {
      sync: true,
    });
    await directory.close();
    expect((await reasonOf(machine.open())).reason).toBe("damaged");
  });
});

describe("a data directory on the disk", () => {
  let root = "";

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "strandline-data-"));
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  const open = async (): Promise<DataDirectory> =>
    await DataDirectory.open(
      { fileSystem: nodeFileSystem, random: nodeRandom, logger: nullLogger },
      { path: join(root, "data"), nodeId: ONE },
    );

  it("serves one process at a time, and frees itself when it is closed", async () => {
    const directory = await open();
    const error = await reasonOf(open());
    expect(error.reason).toBe("in-use");
    expect(error.message).toContain("in use by another process");
    await directory.close();
    await (await open()).close();
  });

  it("can be entered by its owner only", async () => {
    const directory = await open();
    expect((await stat(join(root, "data"))).mode & 0o777).toBe(0o700);
    await directory.close();
  });

  it("opens the controller's store beside its own", async () => {
    const directory = await open();
    const value = new TextEncoder().encode("term");
    await directory.raftStore.write([{ kind: "put", key: "hard-state", value }], { sync: true });
    await directory.close();
    const again = await open();
    expect(new TextDecoder().decode(await again.raftStore.get("hard-state"))).toBe("term");
    expect(await again.checkpoints.get("hard-state")).toBeUndefined();
    await again.close();
  });
});
