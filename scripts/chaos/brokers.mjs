/**
 * The brokers of a target, and what was done to each: running, paused or down. Every kill, pause and
 * restart goes through here, so that an end that nobody asked for is known as such.
 */

export class Brokers {
  /** `{ id, state, fromMs, toMs }`: times in which a broker did not run. */
  absences = [];
  /** `{ id, lines }`: ends that nobody asked for. */
  ownEnds = [];
  #target;
  #states = new Map();
  #onMajority;

  /** `onMajority(isThere)` is called whenever a broker goes or comes. */
  constructor(target, onMajority) {
    this.#target = target;
    this.#onMajority = onMajority;
    for (const id of target.ids) this.#states.set(id, { state: "running" });
    target.onOwnEnd = (id) => {
      this.ownEnds.push({ id, lines: target.lastLines(id) });
      this.#enter(id, "down");
    };
  }

  get ids() {
    return [...this.#states.keys()];
  }

  get target() {
    return this.#target;
  }

  state(id) {
    return this.#states.get(id).state;
  }

  get running() {
    return this.ids.filter((id) => this.state(id) === "running");
  }

  get hasMajority() {
    return this.running.length > this.#states.size / 2;
  }

  /** Resolves once the process is gone. */
  async kill(id) {
    this.#enter(id, "down");
    await this.#target.kill(id);
  }

  async pause(id) {
    this.#enter(id, "paused");
    await this.#target.pause(id);
  }

  async resume(id) {
    await this.#target.resume(id);
    this.#enter(id, "running");
  }

  async start(id) {
    await this.#target.start(id);
    this.#enter(id, "running");
  }

  /** Whoever is paused goes on, whoever is down is started: also after a fault that was cut short. */
  async restoreAll() {
    for (const id of this.ids) {
      if (this.state(id) === "paused") await this.resume(id);
      else if (this.state(id) === "down") await this.start(id);
    }
  }

  #enter(id, state) {
    const nowMs = performance.now();
    const before = this.#states.get(id);
    if (before.state === state) return;
    if (before.absence !== undefined) before.absence.toMs = nowMs;
    const absence = state === "running" ? undefined : { id, state, fromMs: nowMs, toMs: undefined };
    if (absence !== undefined) this.absences.push(absence);
    this.#states.set(id, { state, absence });
    this.#onMajority(this.hasMajority, nowMs);
  }
}
