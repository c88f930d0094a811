import { describe, expect, it } from "vitest";
import { Progress } from "./progress.js";

/** A node in "replicate" that holds everything up to 10; at most two appends may be unanswered. */
function caughtUpAt10(): Progress {
  const peer = new Progress(11, 2);
  peer.noteSent(10, 0);
  peer.accept(10);
  return peer;
}

describe(Progress, () => {
  it("sends one probe, then waits for an answer to it or to a heartbeat", () => {
    const peer = new Progress(11, 2);
    expect(peer.isPaused).toBe(false);
    peer.noteSent(12, 2);
    expect(peer.isPaused).toBe(true);
    expect(peer.next).toBe(11);
    peer.resume();
    expect(peer.isPaused).toBe(false);
  });

  it("replicates once a probe is answered, even when the answer is no news", () => {
    const peer = caughtUpAt10();
    expect(peer.state).toBe("replicate");
    peer.probe();
    peer.noteSent(10, 0);
    expect(peer.accept(10)).toBe(false);
    expect(peer.state).toBe("replicate");
  });

  it("pauses at the bound on unanswered appends and goes on as answers come", () => {
    const peer = caughtUpAt10();
    peer.noteSent(12, 2);
    peer.noteSent(13, 1);
    expect(peer.isPaused).toBe(true);
    expect(() => peer.noteSent(14, 1)).toThrow("paused");
    peer.accept(12);
    expect(peer.isPaused).toBe(false);
    expect(peer.next).toBe(14);
  });

  it("does not count empty appends as unanswered", () => {
    const peer = caughtUpAt10();
    for (let i = 0; i < 5; i += 1) peer.noteSent(10, 0);
    expect(peer.isPaused).toBe(false);
  });

  it("refuses appends with a gap between them", () => {
    expect(() => caughtUpAt10().noteSent(13, 2)).toThrow("in order");
  });

  it("goes back to what is certain when a pipelined append is refused", () => {
    const peer = caughtUpAt10();
    peer.noteSent(12, 2);
    peer.refuse(12, 10);
    expect(peer.state).toBe("probe");
    expect(peer.next).toBe(11);
  });

  it("ignores a refusal that an answer has overtaken", () => {
    const peer = caughtUpAt10();
    peer.refuse(9, 3);
    expect(peer.state).toBe("replicate");
    expect(peer.next).toBe(11);
  });

  it("ignores a refusal of any other probe than the one that is out", () => {
    const peer = new Progress(11, 2);
    peer.noteSent(10, 0);
    peer.refuse(7, 3);
    expect(peer.next).toBe(11);
    expect(peer.isPaused).toBe(true);
  });

  it("follows the hint of a refusal, below what was refused and above what is certain", () => {
    const peer = new Progress(11, 2);
    peer.noteSent(10, 0);
    peer.refuse(10, 4);
    expect(peer.next).toBe(5);
    peer.noteSent(4, 0);
    peer.refuse(4, 99);
    expect(peer.next).toBe(4);
    peer.noteSent(3, 0);
    peer.refuse(3, 0);
    expect(peer.next).toBe(1);
  });

  it("keeps its guess when the connection breaks before anything is certain", () => {
    const peer = new Progress(11, 2);
    peer.noteSent(12, 2);
    peer.probe();
    expect(peer.next).toBe(11);
    expect(peer.isPaused).toBe(false);
  });

  it("never takes back what a node has made durable", () => {
    const peer = caughtUpAt10();
    expect(peer.accept(4)).toBe(false);
    expect(peer.matchIndex).toBe(10);
    expect(peer.next).toBe(11);
    peer.probe();
    peer.noteSent(10, 0);
    peer.refuse(10, 3);
    expect(peer.matchIndex).toBe(10);
    expect(peer.next).toBe(11);
  });

  it("sends nothing while a snapshot is on its way, and goes on after it", () => {
    const peer = new Progress(3, 2);
    peer.installing(20);
    expect(peer.isPaused).toBe(true);
    peer.refuse(2, 0);
    peer.accept(7);
    expect(peer.state).toBe("snapshot");
    peer.accept(20);
    expect(peer.state).toBe("replicate");
    expect(peer.next).toBe(21);
  });

  it("takes a snapshot for lost when nobody answers it", () => {
    const peer = new Progress(3, 2);
    peer.installing(20);
    for (let tick = 0; tick < 9; tick += 1) peer.tick(10);
    expect(peer.state).toBe("snapshot");
    peer.tick(10);
    expect(peer.state).toBe("probe");
    expect(peer.isPaused).toBe(false);
  });

  it("probes behind a snapshot that was sent, and where it was before when it was not", () => {
    const sent = new Progress(3, 2);
    sent.installing(20);
    sent.snapshotReported(true);
    expect([sent.state, sent.next, sent.isPaused]).toEqual(["probe", 21, true]);
    const failed = new Progress(3, 2);
    failed.installing(20);
    failed.snapshotReported(false);
    expect([failed.state, failed.next, failed.isPaused]).toEqual(["probe", 1, true]);
    const other = caughtUpAt10();
    other.snapshotReported(true);
    expect(other.state).toBe("replicate");
  });
});
