/**
 * Incremental fetch sessions (KIP-227): a client of many partitions names in each fetch only what
 * changed since the last one, and is answered only what changed for it.
 *
 * Pure and synchronous. Sessions are a cache: one that is gone costs its client one full fetch.
 */
import type { ErrorCode } from "@strandline/model";

/** What a client wants of one partition. */
export interface FetchWanted {
  /** Empty where the client knows it by its id. */
  readonly topic: string;
  /** Zeroes where the client knows it by its name. */
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  /** -1: the client has no opinion. */
  readonly currentLeaderEpoch: number;
  /** Epoch of the last record the client has; -1: not said. */
  readonly lastFetchedEpoch: number;
  readonly bytesMax: number;
}

export type FetchPlace = Pick<FetchWanted, "topic" | "topicId" | "partition">;

export interface FetchSessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly usesTopicIds: boolean;
  readonly wanted: readonly FetchWanted[];
  readonly forgotten: readonly FetchPlace[];
}

/** What decides whether a partition is in an answer. */
export interface FetchOutcome {
  readonly isRefused: boolean;
  readonly isDiverging: boolean;
  readonly recordBytes: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
}

/** One fetch of a client: what to read, and which of it to tell. */
export interface FetchTurn {
  readonly sessionId: number;
  readonly wanted: readonly FetchWanted[];
  /** True when the answer has this outcome of `wanted[index]`. Once for each index, in order. */
  tells(index: number, outcome: FetchOutcome): boolean;
}

export interface FetchSessionsOptions {
  readonly sessionsMax: number;
  /** Over all sessions. */
  readonly partitionsMax: number;
  /** A session may give way to another after this long without use, or to a larger one. */
  readonly idleMs: number;
  /** A random integer from 1 to 2^31 - 1. */
  newId(): number;
}

const NO_SESSION = 0;
const FIRST_EPOCH = 0;
const LAST_EPOCH = -1;
const EPOCH_MAX = 2_147_483_647;

interface Held {
  readonly wanted: FetchWanted;
  /** What the client was told last; -1 to tell it again. */
  highWatermark: number;
  logStartOffset: number;
}

interface Session {
  readonly id: number;
  readonly usesTopicIds: boolean;
  readonly createdMs: number;
  usedMs: number;
  /** Of the next request. */
  epoch: number;
  readonly held: Map<string, Held>;
}

export class FetchSessions {
  readonly #options: FetchSessionsOptions;
  readonly #sessions = new Map<number, Session>();
  #partitions = 0;

  constructor(options: FetchSessionsOptions) {
    this.#options = options;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get partitionCount(): number {
    return this.#partitions;
  }

  /** Begins a fetch, or says why it is refused as a whole. */
  open(request: FetchSessionRequest, nowMs: number): FetchTurn | { readonly code: ErrorCode } {
    const { sessionId, sessionEpoch, wanted } = request;
    if (sessionEpoch === FIRST_EPOCH || sessionEpoch === LAST_EPOCH) {
      this.#remove(this.#sessions.get(sessionId));
      if (sessionEpoch === LAST_EPOCH) return fullTurn(NO_SESSION, wanted, () => undefined);
      return this.#create(request, nowMs);
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return { code: "FETCH_SESSION_ID_NOT_FOUND" };
    if (session.usesTopicIds !== request.usesTopicIds) {
      return { code: "FETCH_SESSION_TOPIC_ID_ERROR" };
    }
    if (session.epoch !== sessionEpoch) return { code: "INVALID_FETCH_SESSION_EPOCH" };
    return this.#continue(session, request, nowMs);
  }

  #create(request: FetchSessionRequest, nowMs: number): FetchTurn {
    const { wanted, usesTopicIds } = request;
    if (wanted.length === 0 || !this.#makeRoom(wanted.length, nowMs)) {
      return fullTurn(NO_SESSION, wanted, () => undefined);
    }
    let id = this.#options.newId();
    while (this.#sessions.has(id)) id = this.#options.newId();
    const session: Session = {
      id,
      usesTopicIds,
      createdMs: nowMs,
      usedMs: nowMs,
      epoch: 1,
      held: new Map(),
    };
    for (const one of wanted) session.held.set(keyOf(one), newlyHeld(one));
    this.#sessions.set(id, session);
    this.#partitions += session.held.size;
    return fullTurn(id, wanted, (one, outcome) => {
      const held = session.held.get(keyOf(one));
      if (held !== undefined) note(held, outcome);
    });
  }

  #continue(
    session: Session,
    request: FetchSessionRequest,
    nowMs: number,
  ): FetchTurn | { readonly code: ErrorCode } {
    const { held } = session;
    const before = held.size;
    for (const one of request.wanted) {
      const key = keyOf(one);
      const known = held.get(key);
      // In its place: who is served first changes only by what was read.
      held.set(key, known === undefined ? newlyHeld(one) : stillHeld(one, known));
    }
    for (const place of request.forgotten) held.delete(keyOf(place));
    this.#partitions += held.size - before;
    session.usedMs = nowMs;
    session.epoch = session.epoch === EPOCH_MAX ? 1 : session.epoch + 1;
    if (held.size === 0 || this.#partitions > this.#options.partitionsMax) {
      this.#remove(session);
      if (held.size > 0) return { code: "FETCH_SESSION_ID_NOT_FOUND" };
      return fullTurn(NO_SESSION, [], () => undefined);
    }
    return incrementalTurn(session);
  }

  /** Whether one more session of so many partitions may be kept; another may have to go for it. */
  #makeRoom(partitions: number, nowMs: number): boolean {
    const { sessionsMax, partitionsMax, idleMs } = this.#options;
    const fits = (): boolean =>
      this.#sessions.size < sessionsMax && this.#partitions + partitions <= partitionsMax;
    if (fits()) return true;
    const dueMs = nowMs - idleMs;
    for (const session of [...this.#sessions.values()]) {
      if (session.usedMs <= dueMs) this.#remove(session);
    }
    if (fits()) return true;
    let smallest: Session | undefined;
    for (const session of this.#sessions.values()) {
      if (session.createdMs > dueMs || session.held.size >= partitions) continue;
      if (smallest === undefined || session.held.size < smallest.held.size) smallest = session;
    }
    this.#remove(smallest);
    return fits();
  }

  #remove(session: Session | undefined): void {
    if (session === undefined || !this.#sessions.delete(session.id)) return;
    this.#partitions -= session.held.size;
  }
}

/** An answer with everything that was asked for. */
function fullTurn(
  sessionId: number,
  wanted: readonly FetchWanted[],
  onTold: (wanted: FetchWanted, outcome: FetchOutcome) => void,
): FetchTurn {
  return {
    sessionId,
    wanted,
    tells: (index, outcome) => {
      onTold(wanted[index] as FetchWanted, outcome);
      return true;
    },
  };
}

/** An answer with what is news to the client. */
function incrementalTurn(session: Session): FetchTurn {
  const entries = [...session.held];
  return {
    sessionId: session.id,
    wanted: entries.map(([, { wanted }]) => wanted),
    tells: (index, outcome) => {
      const [key, held] = entries[index] as [string, Held];
      const isNews =
        outcome.isRefused ||
        outcome.isDiverging ||
        outcome.recordBytes > 0 ||
        outcome.highWatermark !== held.highWatermark ||
        outcome.logStartOffset !== held.logStartOffset;
      note(held, outcome);
      // Whoever was served goes to the end, so that the others have their turn.
      if (outcome.recordBytes > 0 && session.held.get(key) === held) {
        session.held.delete(key);
        session.held.set(key, held);
      }
      return isNews;
    },
  };
}

function note(held: Held, outcome: FetchOutcome): void {
  // What follows a refusal is told whatever it is.
  held.highWatermark = outcome.isRefused ? -1 : outcome.highWatermark;
  held.logStartOffset = outcome.logStartOffset;
}

function newlyHeld(wanted: FetchWanted): Held {
  return { wanted, highWatermark: -1, logStartOffset: -1 };
}

/** Another object: a turn that began before must not move it. */
function stillHeld(wanted: FetchWanted, { highWatermark, logStartOffset }: Held): Held {
  return { wanted, highWatermark, logStartOffset };
}

function keyOf({ topic, topicId, partition }: FetchPlace): string {
  return `${topicId}/${topic}/${partition}`;
}
