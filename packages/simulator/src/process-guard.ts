/**
 * Watches the real process while virtual time runs. A rejection that nobody handles belongs to the
 * node whose event caused it. And where asked to, what would let real time or chance into a run
 * throws on use.
 */

/** What of the real world node code must not touch; it has ports for all of it. */
const FORBIDDEN: readonly (readonly [owner: object, name: string])[] = [
  [Date, "now"],
  [Math, "random"],
  [performance, "now"],
  [globalThis, "setTimeout"],
  [globalThis, "setInterval"],
  [globalThis, "setImmediate"],
  [globalThis, "fetch"],
  [process, "hrtime"],
  [crypto, "randomUUID"],
  [crypto, "getRandomValues"],
];

export interface GuardOptions {
  readonly onRejection: (reason: unknown) => void;
  readonly onException: (error: unknown) => void;
}

/** Takes over the process's last-resort events; the returned function gives them back. */
export function watchProcess(options: GuardOptions): () => void {
  const giveBacks = [
    replaceListeners("unhandledRejection", options.onRejection),
    replaceListeners("uncaughtException", options.onException),
  ];
  return () => {
    for (const giveBack of giveBacks) giveBack();
  };
}

type LastResort = "unhandledRejection" | "uncaughtException";

function replaceListeners(event: LastResort, listener: (reason: unknown) => void): () => void {
  const before = process.rawListeners(event) as ((reason: unknown) => void)[];
  process.removeAllListeners(event);
  process.on(event, listener);
  return () => {
    process.removeListener(event, listener);
    for (const earlier of before) process.on(event, earlier);
  };
}

/**
 * Makes the forbidden functions throw while `isActive` says that node code runs. Only for a process
 * that does nothing else: a test runner uses them in between.
 */
export function forbidRealWorld(isActive: () => boolean): () => void {
  const giveBacks = FORBIDDEN.map(([owner, name]) => {
    const original: unknown = Reflect.get(owner, name);
    const hadOwn = Object.getOwnPropertyDescriptor(owner, name);
    const guarded = function (this: unknown, ...args: unknown[]): unknown {
      if (isActive()) throw new TypeError(`node code used ${name}, which no seed decides`);
      return Reflect.apply(original as (...args: unknown[]) => unknown, this, args);
    };
    Object.defineProperty(owner, name, { value: guarded, configurable: true, writable: true });
    return () => {
      if (hadOwn === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, hadOwn);
    };
  });
  return () => {
    for (const giveBack of giveBacks) giveBack();
  };
}
