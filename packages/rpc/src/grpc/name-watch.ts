/**
 * Asks again and again whether a name still leads to the address that a connection was made to.
 * Two containers that are restarted may swap addresses; a connection that was being made to the old
 * one then reaches a stranger, and lives for as long as that does.
 */
import dns from "node:dns";
import net from "node:net";

/**
 * A name that is not known says nothing of its address. It is that of a container which is down, as
 * a rule, and whoever answered may have taken its address: so it is asked again soon.
 */
const UNKNOWN_MS_MAX = 500;

export interface NameWatchOptions {
  /** Between two questions while the answer is yes. Milliseconds. */
  readonly intervalMs: number;
  /** Called once, from a later turn; nothing is asked any more. */
  readonly onElsewhere: () => void;
}

export class NameWatch {
  readonly #hostname: string;
  readonly #address: string;
  readonly #options: NameWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** `hostname` of an URL, `address` of a socket. Asks at once, unless the name is an address. */
  constructor(hostname: string, address: string, options: NameWatchOptions) {
    this.#hostname = unbracketed(hostname);
    this.#address = address;
    this.#options = options;
    if (net.isIP(this.#hostname) === 0) void this.#ask();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const addresses = await addressesOf(this.#hostname);
    if (this.#isStopped) return;
    if (addresses !== undefined && !addresses.includes(this.#address)) {
      this.stop();
      this.#options.onElsewhere();
      return;
    }
    const { intervalMs } = this.#options;
    const delayMs = addresses === undefined ? Math.min(UNKNOWN_MS_MAX, intervalMs) : intervalMs;
    this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }
}

/** "[::1]" of an URL is "::1" to a socket. */
export function unbracketed(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** Undefined when that cannot be told now. Never rejects. */
async function addressesOf(hostname: string): Promise<string[] | undefined> {
  try {
    const found = await dns.promises.lookup(hostname, { all: true });
    return found.map(({ address }) => address);
  } catch {
    return undefined;
  }
}
