/**
 * What a member says to its group and what it is told: who it is, of which generation, and when the
 * coordinator was last heard of. What the coordinator cannot answer now is asked again.
 */
import type {
  CommitCommand,
  GroupResponse,
  JoinCommand,
  SyncCommand,
} from "@strandline/coordination";
import { BrokerError, type ErrorCode } from "@strandline/model";
import type { Clock } from "@strandline/platform";
import type { GroupJoin, GroupPartition } from "@strandline/rpc";
import { refuse } from "../services/group-admin.js";
import type { GroupService } from "../services/groups.js";
import type { Pauses } from "./pauses.js";

const SESSION_MS_DEFAULT = 45_000;
const REBALANCE_MS_DEFAULT = 60_000;
const HEARTBEAT_MS_MAX = 2_000;
/** Heartbeats within one session. */
const HEARTBEATS = 6;
const PROTOCOL_TYPE = "consumer";
/** Before the coordinator is asked again. */
export const RETRY_MS = 100;

export type Joined = GroupResponse & { readonly kind: "join" };

/** The group has moved on without the member: it has to join again. */
export class Outdated extends Error {
  override readonly name = "Outdated";
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

/** What the group says to a member that is only behind. */
const OUTDATED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "REBALANCE_IN_PROGRESS",
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
]);

export interface MembershipParts {
  readonly clock: Clock;
  readonly groups: GroupService;
  /** Ends what waits here when the member is closed. */
  readonly pauses: Pauses;
  /** The coordinator was not heard of for a session: others may be members in its place. */
  readonly onUnheard: () => void;
}

export class Membership {
  readonly groupId: string;
  readonly instanceId: string | undefined;
  /** Within it the member has to be done with what is taken from it. */
  readonly rebalanceMs: number;
  readonly #parts: MembershipParts;
  readonly #clientId: string;
  readonly #clientHost: string;
  readonly #sessionMs: number;
  #memberId = "";
  #generation = -1;
  /** When the coordinator last answered. */
  #heardAtMs: number;

  constructor(parts: MembershipParts, join: GroupJoin, clientHost: string) {
    this.groupId = join.groupId;
    this.instanceId = join.instanceId === "" ? undefined : join.instanceId;
    this.rebalanceMs = join.rebalanceTimeoutMs > 0 ? join.rebalanceTimeoutMs : REBALANCE_MS_DEFAULT;
    this.#parts = parts;
    this.#clientId = join.clientId === "" ? "strandline" : join.clientId;
    this.#clientHost = clientHost;
    this.#sessionMs = join.sessionTimeoutMs > 0 ? join.sessionTimeoutMs : SESSION_MS_DEFAULT;
    this.#heardAtMs = parts.clock.monotonicMs();
  }

  /** Empty before the group has given one. */
  get memberId(): string {
    return this.#memberId;
  }

  /** -1 when it is in none. */
  get generation(): number {
    return this.#generation;
  }

  get heartbeatMs(): number {
    return Math.min(HEARTBEAT_MS_MAX, this.#sessionMs / HEARTBEATS);
  }

  /** Asks for the next generation, which begins when all others have done so. */
  async join(protocols: () => JoinCommand["protocols"]): Promise<Joined> {
    const { groups, pauses } = this.#parts;
    for (;;) {
      const joined = await this.#coordinated(
        async () =>
          await groups.join(
            {
              groupId: this.groupId,
              memberId: this.#memberId,
              instanceId: this.instanceId,
              requiresKnownMemberId: true,
              supportsSkippingAssignment: true,
              sessionTimeoutMs: this.#sessionMs,
              rebalanceTimeoutMs: this.rebalanceMs,
              protocolType: PROTOCOL_TYPE,
              protocols: protocols(),
              clientId: this.#clientId,
              clientHost: this.#clientHost,
            },
            { forwards: true, signal: pauses.signal },
          ),
      );
      if (joined.error !== "MEMBER_ID_REQUIRED") this.#heed(joined.error);
      this.#memberId = joined.memberId;
      if (joined.error === "MEMBER_ID_REQUIRED") continue;
      this.#generation = joined.generation;
      return joined;
    }
  }

  /** Learns what to read. `assignments`: for all, when the member leads. */
  async sync(
    protocolName: string | undefined,
    assignments: SyncCommand["assignments"],
  ): Promise<Uint8Array> {
    const { groups, pauses } = this.#parts;
    const about = { ...this.#self, protocolType: PROTOCOL_TYPE, protocolName, assignments };
    const synced = await this.#coordinated(
      async () => await groups.sync(about, { forwards: true, signal: pauses.signal }),
    );
    this.#heed(synced.error);
    return synced.assignment;
  }

  async heartbeat(): Promise<void> {
    const { groups, pauses } = this.#parts;
    const self = this.#self;
    const answer = await this.#coordinated(
      async () => await groups.heartbeat(self, { forwards: true, signal: pauses.signal }),
    );
    this.#heed(answer.error);
  }

  /** Where the group has come in these partitions; no offset where it has committed nothing. */
  async starts(
    places: readonly GroupPartition[],
  ): Promise<readonly (GroupPartition & { readonly offset?: number })[]> {
    if (places.length === 0) return [];
    const { groupId } = this;
    const topics = [...new Set(places.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: places.filter((place) => place.topic === topic).map((place) => place.partition),
    }));
    const answer = await this.#coordinated(
      async () => await this.#parts.groups.fetchOffsets({ groupId, topics }, { forwards: true }),
    );
    refuse(answer.error, groupId);
    const offsets = new Map<string, number>();
    for (const { topic, partitions } of answer.topics) {
      for (const { partition, offset } of partitions) offsets.set(`${topic}/${partition}`, offset);
    }
    return places.map(({ topic, partition }) => {
      const offset = offsets.get(`${topic}/${partition}`) ?? -1;
      return offset < 0 ? { topic, partition } : { topic, partition, offset };
    });
  }

  async commit(
    topics: CommitCommand["topics"],
  ): Promise<GroupResponse & { readonly kind: "commit" }> {
    const self = this.#self;
    return await this.#coordinated(
      async () =>
        await this.#parts.groups.commit(
          { ...self, retentionMs: undefined, topics },
          { forwards: true },
        ),
    );
  }

  /** Says that it is gone. A static member does not, and so keeps its place for its session. */
  async leave(): Promise<void> {
    const { groupId, memberId, instanceId } = this;
    if (memberId === "" || instanceId !== undefined) return;
    const members = [{ memberId, instanceId }];
    await this.#parts.groups.leave({ groupId, members }, { forwards: true });
  }

  /** The group has gone on without it. */
  lapse(code: ErrorCode): void {
    this.#generation = -1;
    if (code === "UNKNOWN_MEMBER_ID") this.#memberId = "";
  }

  get #self(): {
    readonly groupId: string;
    readonly memberId: string;
    readonly instanceId: string | undefined;
    readonly generation: number;
  } {
    const { groupId, memberId, instanceId, generation } = this;
    return { groupId, memberId, instanceId, generation };
  }

  /** Repeats what the coordinator cannot answer now. Throws Closed when the member is closed. */
  async #coordinated<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const { clock, pauses, onUnheard } = this.#parts;
    for (;;) {
      const askedAtMs = clock.monotonicMs();
      try {
        const answer = await ask();
        pauses.refuseClosed();
        this.#heardAtMs = askedAtMs;
        return answer;
      } catch (error) {
        pauses.refuseClosed();
        if (!(error instanceof BrokerError) || !error.retriable) throw error;
        if (clock.monotonicMs() - this.#heardAtMs > this.#sessionMs) onUnheard();
        await pauses.wait(RETRY_MS);
      }
    }
  }

  /** Throws what the group's answer means for the member. */
  #heed(error: ErrorCode | undefined): void {
    if (error !== undefined && OUTDATED.has(error)) throw new Outdated(error);
    refuse(error, this.groupId);
  }
}
