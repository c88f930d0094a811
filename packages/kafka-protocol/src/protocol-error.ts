/**
 * What a peer sent cannot be taken. It is the peer's fault, never this program's, and it ends the
 * connection: after bytes that were not understood, no one knows where the next request begins.
 */
export type ProtocolProblem =
  /** The bytes are not a message of the API and version that their header names. */
  | "malformed"
  /** A frame, or what it would become in memory, is above its bound. */
  | "too-large"
  /** No such API is served here. */
  | "unsupported-api"
  /** The API is served, but not in this version. */
  | "unsupported-version";

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly problem: ProtocolProblem;

  constructor(problem: ProtocolProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
