/** Log of one process: lines go to whoever watches the world, and bugs in them become findings. */
import type { Logger } from "@strandline/platform";
import { isBug } from "./finding.js";
import type { Incarnation } from "./incarnation.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogLine {
  readonly atMs: number;
  readonly node: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function simLogger(
  incarnation: Incarnation,
  sink: (line: LogLine) => void,
  inherited: object = {},
): Logger {
  const write = (level: LogLevel, fields: object, message: string): void => {
    if (!incarnation.isAlive) return;
    const { scheduler, node, number } = incarnation;
    // Static sentences make good trace: they name the branch that was taken.
    scheduler.trace.note(scheduler.nowUs, number, message, 0);
    for (const value of Object.values(fields)) {
      // To log a broken invariant is right; to go on as if nothing were is what it may hide.
      if (value instanceof Error && isBug(value)) incarnation.bug(value);
    }
    sink({
      atMs: scheduler.nowUs / 1000,
      node,
      level,
      message,
      fields: { ...inherited, ...fields },
    });
  };
  return {
    debug: (fields, message) => write("debug", fields, message),
    info: (fields, message) => write("info", fields, message),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
    child: (fields) => simLogger(incarnation, sink, { ...inherited, ...fields }),
  };
}

/** One line of text. Errors show their message only. */
export function formatLogLine(line: LogLine): string {
  const fields = Object.entries(line.fields).map(
    ([name, value]) => `${name}=${formatValue(value)}`,
  );
  const at = line.atMs.toFixed(3).padStart(12);
  return `${at} ${line.level.padEnd(5)} ${line.node}: ${line.message} ${fields.join(" ")}`.trimEnd();
}

function formatValue(value: unknown): string {
  if (value instanceof Error) return `${value.name}(${value.message})`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
