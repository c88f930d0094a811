/**
 * The replicated state machine of the controllers: committed image, and on the active controller
 * the speculative one that commands are decided on. Records become state only here.
 *
 * A metadata offset is a raft index: the entry at index i takes the image to offset i.
 */
import {
  type CommandResponse,
  decide,
  decodeImage,
  decodeRecords,
  emptyImage,
  encodeImage,
  encodeRecords,
  type MetadataCommand,
  type MetadataImage,
  type MetadataRecord,
  replay,
} from "@strandline/metadata";
import { BrokerError } from "@strandline/model";
import type { Entry, Snapshot } from "@strandline/raft";

interface Pending {
  readonly term: number;
  readonly response: CommandResponse;
  readonly resolve: (answer: CommandAnswer) => void;
  readonly reject: (error: BrokerError) => void;
}

export interface CommandAnswer {
  readonly response: CommandResponse;
  /** Offset at which the command has taken effect, exclusive. */
  readonly metadataOffset: number;
}

/** Appends to the raft log; "not-leader" when this node may not. */
export type Propose = (data: Uint8Array) => { index: number; term: number } | "not-leader";

/** One committed transaction, for those who follow. */
export interface CommittedRecords {
  readonly json: Uint8Array;
  readonly endOffset: number;
}

export class MetadataMachine {
  readonly #propose: Propose;
  readonly #onRecords: (committed: CommittedRecords, records: readonly MetadataRecord[]) => void;
  readonly #pending = new Map<number, Pending[]>();
  #image: MetadataImage = emptyImage();
  #speculative: MetadataImage | undefined;
  #lastProposed = 0;
  #appliedTerm = 0;

  constructor(
    propose: Propose,
    onRecords: (committed: CommittedRecords, records: readonly MetadataRecord[]) => void,
  ) {
    this.#propose = propose;
    this.#onRecords = onRecords;
  }

  /** What is committed and applied. */
  get image(): MetadataImage {
    return this.#image;
  }

  /** Term of the newest applied entry. */
  get appliedTerm(): number {
    return this.#appliedTerm;
  }

  /** True while commands are taken: leader, with every entry of earlier terms applied. */
  get isActive(): boolean {
    return this.#speculative !== undefined;
  }

  activate(): void {
    this.#speculative = this.#image;
    this.#lastProposed = this.#image.offset;
  }

  /** Leadership is gone. What was proposed may still be committed by another controller. */
  deactivate(): void {
    this.#speculative = undefined;
    const lost = [...this.#pending.values()].flat();
    this.#pending.clear();
    for (const pending of lost) pending.reject(notController());
  }

  /** Decides, appends, and answers once the records are committed. Rejects with the refusal. */
  async submit(command: MetadataCommand): Promise<CommandAnswer> {
    const image = this.#speculative;
    if (image === undefined) throw notController();
    const verdict = decide(image, command);
    if (verdict.kind === "refused") {
      throw new BrokerError(verdict.refusal.code, verdict.refusal.message);
    }
    let index = this.#lastProposed;
    let term = -1;
    if (verdict.records.length > 0) {
      const proposed = this.#propose(encode(encodeRecords(verdict.records)));
      if (proposed === "not-leader") throw notController();
      ({ index, term } = proposed);
      this.#speculative = replay(image, verdict.records, index).image;
      this.#lastProposed = index;
    } else if (index <= this.#image.offset) {
      return { response: verdict.response, metadataOffset: this.#image.offset };
    }
    // Nothing to write, but the answer rests on what was proposed before: it waits for that.
    return await new Promise<CommandAnswer>((resolve, reject) => {
      const waiting = this.#pending.get(index) ?? [];
      waiting.push({ term, response: verdict.response, resolve, reject });
      this.#pending.set(index, waiting);
    });
  }

  apply(entry: Entry): void {
    this.#appliedTerm = entry.term;
    if (entry.type === "data" && entry.data.length > 0) {
      const records = decodeRecords(JSON.parse(decoder.decode(entry.data)) as unknown);
      this.#image = replay(this.#image, records, entry.index).image;
      this.#onRecords({ json: entry.data, endOffset: entry.index }, records);
    } else {
      this.#image = replay(this.#image, [], entry.index).image;
    }
    const waiting = this.#pending.get(entry.index);
    if (waiting === undefined) return;
    this.#pending.delete(entry.index);
    for (const { term, response, resolve, reject } of waiting) {
      // Another leader's entry took this place: the command was not carried out.
      if (term !== -1 && term !== entry.term) reject(notController());
      else resolve({ response, metadataOffset: entry.index });
    }
  }

  restore(snapshot: Snapshot): void {
    this.#appliedTerm = snapshot.term;
    this.#image = decodeImage(JSON.parse(decoder.decode(snapshot.data)) as unknown);
  }

  /** The committed image, for a snapshot. */
  encode(): Uint8Array {
    return encode(encodeImage(this.#image));
  }
}

export function notController(): BrokerError {
  return new BrokerError("NOT_CONTROLLER", "another node is the active controller");
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function encode(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}
