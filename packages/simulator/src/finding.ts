/** What a simulation is run for: something that must not happen, and did. */
export interface Finding {
  readonly seed: number;
  /** Virtual milliseconds since the world began. */
  readonly atMs: number;
  /** Undefined where no single node is at fault. */
  readonly node: string | undefined;
  readonly kind: /** Thrown by an event, or by a handler that a peer called. */
    | "exception"
    | "unhandled-rejection"
    /** A port was used against its contract. */
    | "contract"
    /** A checker's. */
    | "invariant";
  /** One sentence. */
  readonly message: string;
  /** Stack of the error behind it, when there is one. */
  readonly stack: string | undefined;
}

/** True for an error that no input and no fault of the world explains: a bug where it was thrown. */
export function isBug(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (error.name === "AssertionError") return true;
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError
  );
}

export function describeFinding(finding: Finding): string {
  const where = finding.node === undefined ? "" : ` at ${finding.node}`;
  const text = `${finding.kind}${where}, ${finding.atMs.toFixed(3)} ms: ${finding.message}`;
  return finding.stack === undefined ? text : `${text}\n${finding.stack}`;
}
