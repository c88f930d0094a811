/** What one step has to go by, and what it gathers: records, answers, and who still waits. */
import type { Deadlines } from "./deadlines.js";
import type { Group } from "./group.js";
import type { GroupConfig } from "./group-config.js";
import type { GroupResponse } from "./group-response.js";
import type { CoordinationRecord, GroupReply, GroupStep, Moment, Ticket } from "./group-step.js";
import type { Member } from "./member.js";

/** Requests without an answer yet: whose they are. */
export type ParkedRequests = Map<Ticket, { readonly group: Group; readonly member: Member }>;

export interface WorkOptions {
  readonly now: Moment;
  readonly config: GroupConfig;
  readonly deadlines: Deadlines<Work>;
  readonly parked: ParkedRequests;
}

export class Work implements GroupStep {
  readonly now: Moment;
  readonly config: GroupConfig;
  readonly deadlines: Deadlines<Work>;
  readonly records: CoordinationRecord[] = [];
  readonly replies: GroupReply[] = [];
  readonly #parked: ParkedRequests;

  constructor(options: WorkOptions) {
    this.now = options.now;
    this.config = options.config;
    this.deadlines = options.deadlines;
    this.#parked = options.parked;
  }

  write(key: Uint8Array, value: Uint8Array | null): void {
    this.records.push({ key, value });
  }

  reply(ticket: Ticket, response: GroupResponse): void {
    this.#parked.delete(ticket);
    this.replies.push({ ticket, response });
  }

  /** Remembers that a request waits, for the case that its caller goes away. */
  park(ticket: Ticket, group: Group, member: Member): void {
    this.#parked.set(ticket, { group, member });
  }
}
