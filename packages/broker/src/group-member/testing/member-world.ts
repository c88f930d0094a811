/** A world for the tests of members: a real group in memory, partitions that say nothing, time by hand. */
import {
  GROUP_CONFIG_DEFAULTS,
  type GroupCommand,
  type GroupResponse,
  GroupShard,
  type GroupStep,
} from "@strandline/coordination";
import { BrokerError, type ErrorCode } from "@strandline/model";
import { nullLogger, type RpcStream } from "@strandline/platform";
import type {
  ConsumeRequest,
  GroupJoin,
  OutgoingConsumeResponse,
  OutgoingGroupConsumeResponse,
} from "@strandline/rpc";
import type { ConsumeService, ConsumeSession } from "../../services/consume.js";
import type { Directory } from "../../services/directory.js";
import type { GroupService } from "../../services/groups.js";
import { GroupMember } from "../group-member.js";
import { HandTime } from "./hand-time.js";

/** A partition that a member reads. */
export interface Reading {
  readonly topic: string;
  readonly partition: number;
  readonly start: ConsumeRequest["partitions"][number]["start"];
  isOpen: boolean;
  drains: number;
  send(response: Partial<OutgoingConsumeResponse>): boolean;
}

export class MemberWorld {
  readonly time = new HandTime();
  readonly readings: Reading[] = [];
  readonly counts = new Map([["t", 4]]);
  /** Set: the coordinator cannot be reached, and this is what members hear. */
  outage: ErrorCode | undefined;
  readonly #shard = new GroupShard({ ...GROUP_CONFIG_DEFAULTS, initialRebalanceDelayMs: 0 });
  readonly #waiting = new Map<number, (response: GroupResponse) => void>();
  #ticket = 0;
  #ids = 0;

  constructor() {
    this.#shard.loaded(this.#now());
  }

  async pass(durationMs: number): Promise<void> {
    await this.time.pass(durationMs, () => this.#take(this.#shard.tick(this.#now())));
  }

  /** A member that comes over gRPC, and what it is told. */
  member(join: Partial<GroupJoin> = {}): MemberInWorld {
    return new MemberInWorld(this, join);
  }

  /** What the group answers. */
  async ask<Kind extends GroupCommand["kind"]>(
    command: GroupCommand & { readonly kind: Kind },
  ): Promise<GroupResponse & { readonly kind: Kind }> {
    if (this.outage !== undefined) throw new BrokerError(this.outage, "cannot be reached");
    const ticket = ++this.#ticket;
    const answer = new Promise<GroupResponse>((resolve) => this.#waiting.set(ticket, resolve));
    this.#take(this.#shard.step(command, ticket, this.#now()));
    return (await answer) as GroupResponse & { readonly kind: Kind };
  }

  get groups(): GroupService {
    const service: Partial<Record<keyof GroupService, unknown>> = {
      join: async (body: object) => {
        const newMemberId = `m${++this.#ids}`;
        return await this.ask({ kind: "join", newMemberId, ...body } as never);
      },
      sync: async (body: object) => await this.ask({ kind: "sync", ...body } as never),
      heartbeat: async (body: object) => await this.ask({ kind: "heartbeat", ...body } as never),
      leave: async (body: object) => await this.ask({ kind: "leave", ...body } as never),
      commit: async (body: object) => await this.ask({ kind: "commit", ...body } as never),
      fetchOffsets: async (body: object) => {
        return await this.ask({ kind: "fetch-offsets", ...body } as never);
      },
    };
    return service as GroupService;
  }

  get consume(): ConsumeService {
    const open = (
      stream: RpcStream<OutgoingConsumeResponse>,
      request: ConsumeRequest,
    ): ConsumeSession => this.#open(stream, request);
    return { open } as unknown as ConsumeService;
  }

  get directory(): Directory {
    const { counts } = this;
    const topicIds = { get: (topic: string) => (counts.has(topic) ? topic : undefined) };
    const topics = {
      get: (topic: string) => ({ partitions: Array.from({ length: counts.get(topic) ?? 0 }) }),
    };
    return { image: { topicIds, topics } } as unknown as Directory;
  }

  #open(stream: RpcStream<OutgoingConsumeResponse>, request: ConsumeRequest): ConsumeSession {
    const { topic = "", partition = -1, start } = request.partitions[0] ?? {};
    const reading: Reading = {
      topic,
      partition,
      start,
      isOpen: true,
      drains: 0,
      send: (response) => stream.send({ ...EMPTY, topic, partition, ...response }),
    };
    this.readings.push(reading);
    const session: Partial<ConsumeSession> = {
      close: () => {
        reading.isOpen = false;
      },
      drained: () => {
        reading.drains += 1;
      },
    };
    return session as ConsumeSession;
  }

  #take({ replies }: GroupStep): void {
    for (const { ticket, response } of replies) {
      this.#waiting.get(ticket)?.(response);
      this.#waiting.delete(ticket);
    }
  }

  #now(): { readonly monotonicMs: number; readonly wallMs: number } {
    return { monotonicMs: this.time.nowMs, wallMs: this.time.nowMs };
  }
}

const EMPTY: OutgoingConsumeResponse = {
  topic: "",
  partition: -1,
  highWatermark: 0,
  logStartOffset: 0,
  nextOffset: 0,
  records: [],
  batches: new Uint8Array(0),
};

/** What a member was told, as sentences. */
export class MemberInWorld {
  readonly member: GroupMember;
  readonly told: string[] = [];
  /** Revocations are released at once, unless a test wants to do it. */
  releasesAtOnce = true;
  lastRevocationId = 0;
  error: Error | undefined;

  constructor(world: MemberWorld, join: Partial<GroupJoin>) {
    const stream: RpcStream<OutgoingGroupConsumeResponse> = {
      send: (response) => this.#hear(response),
      end: () => void this.told.push("ended"),
      abort: (error) => {
        this.error = error;
      },
      pause: () => {},
      resume: () => {},
    };
    const parts = { groups: world.groups, consume: world.consume, directory: world.directory };
    const ports = { clock: world.time, timers: world.time, logger: nullLogger };
    const options = { join: { ...JOIN, ...join }, clientHost: "/127.0.0.1", stream };
    this.member = new GroupMember(ports, parts, options);
    this.member.start();
  }

  /** What was told since this was asked last. */
  news(): string[] {
    return this.told.splice(0);
  }

  commit(correlationId: number, partition: number, offset: number): void {
    const offsets = [{ topic: "t", partition, offset, metadata: "" }];
    this.member.commit({ correlationId, offsets });
  }

  #hear(response: OutgoingGroupConsumeResponse): boolean {
    const { assigned, revoked, records, committed } = response;
    const list = (places: readonly { readonly partition: number; readonly offset?: unknown }[]) =>
      places
        .map(({ partition, offset }) => `${partition}${offset === undefined ? "" : `@${offset}`}`)
        .join(",");
    if (assigned !== undefined) this.told.push(`assigned ${list(assigned.partitions)}`);
    if (records !== undefined) this.told.push(`records of ${records.partition}`);
    if (revoked !== undefined) {
      this.told.push(`${revoked.isLost ? "lost" : "revoked"} ${list(revoked.partitions)}`);
      this.lastRevocationId = revoked.revocationId;
      if (this.releasesAtOnce && !revoked.isLost) this.member.release(revoked.revocationId);
    }
    if (committed !== undefined) {
      const code = committed.error?.code ?? committed.refusals[0]?.error?.code ?? "done";
      this.told.push(`commit ${committed.correlationId} ${code}`);
    }
    return true;
  }
}

const JOIN: GroupJoin = {
  groupId: "g",
  topics: ["t"],
  instanceId: "",
  clientId: "c",
  sessionTimeoutMs: 12_000,
  rebalanceTimeoutMs: 20_000,
  start: { earliest: true },
  assignors: [],
  asBatches: true,
  bytesMax: 0,
  windowBytes: 0,
};
