/** Log lines by pino: JSON on standard output, or prose for a person at a terminal. */
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from "pino";
import type { Logger } from "../ports/logger.js";

export interface PinoLoggerOptions {
  /** trace, debug, info, warn, error, fatal or silent. */
  readonly level: string;
  /** Added to every line, for example `{ nodeId: 1 }`. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where lines go; standard output when undefined. */
  readonly destination: DestinationStream | undefined;
}

export function pinoLogger(options: PinoLoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: { ...options.fields },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger =
    options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  return adapt(logger);
}

function adapt(logger: PinoLogger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => adapt(logger.child(fields)),
  };
}

/** Says nothing. */
export const nullLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => nullLogger,
};
