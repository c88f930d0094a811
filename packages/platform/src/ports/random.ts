/** Randomness. Not for secrets. */
export interface Random {
  /** Uniform in [0, bound). `bound` is a positive integer up to 2^32. */
  below(bound: number): number;
  /** `length` random bytes, owned by the caller. */
  bytes(length: number): Uint8Array;
}
