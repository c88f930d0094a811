/** What grpc.health.v1 answers: the state of the whole server, under the empty service name. */
export type HealthState = "SERVING" | "NOT_SERVING";

/** Set by whoever knows; a health service follows it. Starts as not serving. */
export class HealthStatus {
  #state: HealthState = "NOT_SERVING";
  readonly #followers = new Set<(state: HealthState) => void>();

  get state(): HealthState {
    return this.#state;
  }

  set(state: HealthState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const follower of this.#followers) follower(state);
  }

  /** Calls `follower` now and at every change, until what it returns is called. */
  follow(follower: (state: HealthState) => void): () => void {
    this.#followers.add(follower);
    follower(this.#state);
    return () => this.#followers.delete(follower);
  }
}
