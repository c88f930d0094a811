/**
 * The addresses by which the cluster may be reached, and which of them did not answer lately.
 *
 * A broker's advertised address may be wrong from where this client stands. Such an address is left
 * alone for a while that doubles, and whoever wanted it takes another: any broker forwards.
 */
import type { Clock } from "@strandline/platform";

/** First time that an unreachable address is left alone; doubles up to the maximum. */
const COOL_DOWN_MS = 1_000;
const COOL_DOWN_MS_MAX = 60_000;

interface Outage {
  failures: number;
  /** Monotonic. */
  untilMs: number;
}

export class AddressBook {
  readonly #clock: Clock;
  readonly #bootstrap: readonly string[];
  readonly #outages = new Map<string, Outage>();
  readonly #passedOver = new Set<string>();
  #brokers: ReadonlyMap<number, string> = new Map();
  /** The address that answered last; tried first, so that one client stays with one broker. */
  #preferred: string | undefined;

  constructor(clock: Clock, bootstrap: readonly string[]) {
    this.#clock = clock;
    this.#bootstrap = bootstrap;
  }

  /** Replaces the brokers known by id. */
  setBrokers(brokers: ReadonlyMap<number, string>): void {
    this.#brokers = brokers;
  }

  addressOf(brokerId: number): string | undefined {
    return this.#brokers.get(brokerId);
  }

  noteReachable(address: string): void {
    this.#outages.delete(address);
    this.#passedOver.delete(address);
    this.#preferred = address;
  }

  /** Remembers that no connection could be made. */
  noteUnreachable(address: string): void {
    if (this.#preferred === address) this.#preferred = undefined;
    const outage = this.#outages.get(address);
    const nowMs = this.#clock.monotonicMs();
    // Many streams may fail by one outage: it counts once per cool-down.
    if (outage !== undefined && nowMs < outage.untilMs) return;
    const failures = (outage?.failures ?? 0) + 1;
    const coolDownMs = Math.min(COOL_DOWN_MS * 2 ** Math.min(failures - 1, 30), COOL_DOWN_MS_MAX);
    this.#outages.set(address, { failures, untilMs: nowMs + coolDownMs });
  }

  /** Takes an address last, until it answers again: it is there, but it did not do. */
  passOver(address: string): void {
    if (this.#preferred === address) this.#preferred = undefined;
    // Those that were passed over longest ago come first again.
    this.#passedOver.delete(address);
    this.#passedOver.add(address);
  }

  /** True for an address that did not fail lately. */
  isUsable(address: string): boolean {
    return !this.#outages.has(address);
  }

  /** True when an address failed, and its time to be left alone is over. */
  mayProbe(address: string): boolean {
    const outage = this.#outages.get(address);
    return outage !== undefined && this.#clock.monotonicMs() >= outage.untilMs;
  }

  /** All addresses, the most promising first. */
  candidates(): readonly string[] {
    const all = new Set<string>();
    if (this.#preferred !== undefined) all.add(this.#preferred);
    for (const address of this.#brokers.values()) all.add(address);
    for (const address of this.#bootstrap) all.add(address);
    const usable = [...all].filter((address) => this.isUsable(address));
    const others = [...all].filter((address) => !this.isUsable(address));
    others.sort((a, b) => this.#untilMs(a) - this.#untilMs(b));
    const good = usable.filter((address) => !this.#passedOver.has(address));
    const poor = [...this.#passedOver].filter((address) => usable.includes(address));
    return [...good, ...poor, ...others];
  }

  #untilMs(address: string): number {
    return this.#outages.get(address)?.untilMs ?? 0;
  }
}
