import { brokerEpoch } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { MetadataCluster, show } from "../testing/metadata-cluster.js";

function three(configs: Record<string, string> = {}) {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 2, 3]], configs }) };
}

describe("a registration", () => {
  it("begins fenced, with the metadata offset of its record as its epoch", () => {
    const { cluster } = three();
    const registration = cluster.registration(4);
    expect(cluster.accept(registration)).toEqual({
      kind: "register-node",
      nodeId: 4,
      brokerEpoch: registration.brokerEpoch,
      isFenced: true,
    });
    expect(cluster.node(4)).toMatchObject({ isFenced: true, brokerEpoch: cluster.image.offset });
  });

  it("is refused with an epoch that was given before", () => {
    const { cluster } = three();
    cluster.accept(cluster.registration(1));
    // The newest one is the present holder's own.
    expect(cluster.epochOf(1)).toBe(cluster.image.offset);
    for (const epoch of [-1, 0, cluster.image.offset - 1, cluster.image.offset]) {
      const late = { ...cluster.registration(1), brokerEpoch: brokerEpoch(epoch) };
      expect(cluster.refusal(late)).toBe("INVALID_REQUEST");
    }
  });

  it("waits for the cluster's identity", () => {
    const { cluster } = three();
    const nameless = new MetadataCluster();
    nameless.image = { ...nameless.image, clusterId: undefined };
    expect(nameless.refusal(cluster.registration(1))).toBe("NOT_CONTROLLER");
  });

  it("sent again by the same process keeps its epoch, its state and its leaderships", () => {
    const { cluster, topic } = three();
    const registration = cluster.registration(1);
    cluster.accept(registration);
    cluster.unfence(1);
    const { image, records } = cluster;
    const count = records.length;
    const again = { ...registration, brokerEpoch: brokerEpoch(image.offset + 1) };
    expect(cluster.accept(again)).toMatchObject({
      brokerEpoch: registration.brokerEpoch,
      isFenced: false,
    });
    expect(records).toHaveLength(count);
    expect(cluster.partition(topic)).toBe(image.topics.get(topic)?.partitions[0]);
  });

  it("sent again from another address writes that address alone", () => {
    const { cluster, topic } = three();
    const registration = cluster.registration(1);
    cluster.accept(registration);
    cluster.unfence(1);
    cluster.stop(1);
    const before = cluster.partition(topic);
    cluster.accept({ ...registration, address: "elsewhere:1" });
    expect(cluster.node(1)).toMatchObject({
      address: "elsewhere:1",
      isFenced: false,
      isStopping: true,
      brokerEpoch: registration.brokerEpoch,
    });
    expect(cluster.partition(topic)).toBe(before);
  });
});

describe("a new process of a known node", () => {
  it("is admitted at once on the same directory: the old one must be gone", () => {
    const { cluster, topic } = three();
    cluster.accept({ ...cluster.registration(1), isAlive: true });
    expect(show(cluster.partition(topic))).toBe("2 | 2 3 | -");
  });

  it("begins every leadership anew, however often it starts", () => {
    const cluster = new MetadataCluster();
    cluster.start(1);
    const topic = cluster.createTopic("t", { replicas: [[1]] });
    const epochs: number[] = [];
    for (let at = 0; at < 3; at += 1) {
      cluster.start(1);
      epochs.push(cluster.partition(topic).leaderEpoch);
    }
    // One step to nobody, one back.
    expect(epochs).toEqual([2, 4, 6]);
  });

  it("is not followed by an older one coming back", () => {
    const { cluster } = three();
    const first = cluster.registration(1);
    cluster.accept(first);
    const second = cluster.registration(1);
    cluster.accept(second);
    const zombie = { ...first, brokerEpoch: brokerEpoch(cluster.image.offset + 1) };
    expect(cluster.refusal(zombie)).toBe("STALE_BROKER_EPOCH");
    cluster.accept({ ...second, brokerEpoch: brokerEpoch(cluster.image.offset + 1) });
    expect(cluster.node(1)?.brokerEpoch).toBe(second.brokerEpoch);
  });

  it("remembers a bounded number of those before it", () => {
    const { cluster } = three();
    for (let at = 0; at < 20; at += 1) cluster.start(1);
    expect(cluster.node(1)?.formerIncarnations).toHaveLength(8);
  });

  it("says whether the one before it stopped cleanly, by naming that one's epoch", () => {
    const { cluster } = three();
    cluster.accept(cluster.registration(1, { clean: true }));
    expect(cluster.node(1)?.cleanShutdown).toBe(true);
    const old = cluster.epochOf(1);
    cluster.accept(cluster.registration(1));
    expect(cluster.node(1)?.cleanShutdown).toBe(false);
    // A marker of an earlier process proves nothing about the last one.
    cluster.accept({ ...cluster.registration(1), cleanShutdownEpoch: old });
    expect(cluster.node(1)?.cleanShutdown).toBe(false);
  });
});

describe("with durability=replicated", () => {
  const configs = { durability: "replicated" };

  it("a crash ends the eligibility, a clean stop does not", () => {
    for (const [clean, eligible] of [
      [false, []],
      [true, [1]],
    ] as const) {
      const { cluster, topic } = three(configs);
      cluster.fence(3);
      cluster.accept(cluster.registration(1, { clean }));
      expect(cluster.partition(topic)).toMatchObject({ leader: 2, isr: [2], elr: eligible });
    }
  });

  it("a crash of the last one leaves nobody to elect without a loss", () => {
    const { cluster, topic } = three(configs);
    for (const node of [1, 2, 3]) cluster.accept(cluster.registration(node));
    for (const node of [1, 2, 3]) cluster.unfence(node);
    expect(show(cluster.partition(topic))).toBe("-1 | - | -");
    cluster.accept({ kind: "elect-leaders", topic: "t", partitions: [], unclean: true });
    expect(show(cluster.partition(topic))).toBe("1 | 1 | -");
  });
});

describe("another directory", () => {
  it("is refused with the way out in words", () => {
    const { cluster } = three();
    const wiped = cluster.registration(1, { directory: 77 });
    expect(() => cluster.accept(wiped)).toThrow("--replace-directory");
    expect(cluster.refusal({ ...wiped, replaceDirectory: true, isAlive: true })).toBe(
      "DUPLICATE_BROKER_REGISTRATION",
    );
  });

  it("is in no ISR and no ELR, even as the last that was eligible", () => {
    const { cluster, topic } = three();
    for (const node of [1, 2, 3]) cluster.fence(node);
    for (const [node, left] of [
      [2, "-1 | - | 3"],
      [3, "-1 | - | -"],
    ] as const) {
      const wiped = cluster.registration(node, { directory: 70 + node });
      cluster.accept({ ...wiped, replaceDirectory: true });
      cluster.unfence(node);
      expect(show(cluster.partition(topic))).toBe(left);
    }
  });

  it("is not cleanly stopped, whatever it says", () => {
    const { cluster } = three();
    const wiped = cluster.registration(1, { directory: 77, clean: true });
    cluster.accept({ ...wiped, replaceDirectory: true });
    expect(cluster.node(1)?.cleanShutdown).toBe(false);
  });

  it("cannot be had by a process that runs already", () => {
    const { cluster } = three();
    const registration = cluster.registration(1);
    cluster.accept(registration);
    const other = cluster.registration(1, { directory: 77 });
    const changed = { ...other, incarnationId: registration.incarnationId, replaceDirectory: true };
    expect(cluster.refusal(changed)).toBe("INVALID_REGISTRATION");
  });
});
