/** One member of a group, and the requests of it that wait. */
import { assert } from "@strandline/model";
import type { Deadline } from "./deadlines.js";
import type { MemberProtocol } from "./group-command.js";
import type { Ticket } from "./group-step.js";
import type { Work } from "./work.js";

const NOTHING = new Uint8Array(0);

export interface MemberOptions {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  /** Ends the member when it is silent for too long. */
  readonly session: Deadline<Work>;
}

/** What a member says of itself each time it joins. */
export interface MemberTerms {
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly MemberProtocol[];
}

export class Member {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly session: Deadline<Work>;
  terms: MemberTerms;
  assignment: Uint8Array = NOTHING;
  /** Has not been in any generation yet, so that its client may not know its id. */
  isNew = true;
  /** The client was told its id before it joined: it can come back as this member. */
  knowsItsId = false;
  /** The join that waits for the next generation. */
  joinTicket: Ticket | undefined;
  /** The sync that waits for the leader's. */
  syncTicket: Ticket | undefined;

  constructor(options: MemberOptions, terms: MemberTerms) {
    this.memberId = options.memberId;
    this.instanceId = options.instanceId;
    this.session = options.session;
    this.terms = terms;
  }

  get isStatic(): boolean {
    return this.instanceId !== undefined;
  }

  supports(protocolName: string): boolean {
    return this.terms.protocols.some(({ name }) => name === protocolName);
  }

  /** What it says to the assignor of a protocol that it supports. */
  metadataOf(protocolName: string): Uint8Array {
    const protocol = this.terms.protocols.find(({ name }) => name === protocolName);
    assert(protocol !== undefined, "a member supports the protocol of its group");
    return protocol.metadata;
  }

  /** True when the protocols are those that it joined with, in the same order. */
  hasProtocols(protocols: readonly MemberProtocol[]): boolean {
    const own = this.terms.protocols;
    return (
      own.length === protocols.length &&
      own.every(({ name, metadata }, at) => {
        const other = protocols[at] as MemberProtocol;
        return name === other.name && areSameBytes(metadata, other.metadata);
      })
    );
  }
}

function areSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
