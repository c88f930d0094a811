/** What the doctor found, one thing each. */

export interface Finding {
  /** "warn": may be meant so, or will pass. */
  readonly status: "ok" | "warn" | "fail";
  /** What was looked at: "Kafka PLAINTEXT", "voter 2". */
  readonly what: string;
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

export function ok(what: string, text: string): Finding {
  return { status: "ok", what, text };
}

export function warn(what: string, text: string, remedy?: string): Finding {
  return { status: "warn", what, text, remedy };
}

export function fail(what: string, text: string, remedy: string): Finding {
  return { status: "fail", what, text, remedy };
}

/** Lines for a person: what is wrong stands out, and what to do about it stands below. */
export function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...findings.map(({ what }) => what.length));
  return findings.flatMap(({ status, what, text, remedy }) => [
    `${status.padEnd(4)}  ${what.padEnd(width)}  ${text}`,
    ...(remedy === undefined ? [] : [`${" ".repeat(width + 8)}→ ${remedy}`]),
  ]);
}
