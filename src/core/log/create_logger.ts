import { type PlainFields, toPlain } from "./_plain.ts";
import type { LogFields, Logger } from "./logger.ts";

/** From the most talkative to the quietest. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** One event on its way to a sink. */
export interface LogRecord {
  /** When, in milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  /** How grave. */
  readonly level: LogLevel;
  /** What happened, such as `htx.ticket_rejected`. */
  readonly event: string;
  /** Its fields: plain, short values without secrets, in the order they were given. */
  readonly fields: PlainFields;
}

/** Takes the records that pass the level, one at a time. */
export type LogSink = (record: LogRecord) => void;

/** Options of {@link createLogger}. */
export interface CreateLoggerOptions {
  /** The least grave level that is logged; `info` by default. At `debug`, errors bring their stacks. */
  readonly level?: LogLevel;
  /** Where records go. */
  readonly sink: LogSink;
  /** Tells the time; that of the machine by default. */
  readonly clock?: {
    /** Milliseconds since 1970-01-01 UTC. */
    wallTime(): number;
  };
}

/**
 * A logger that gives what passes `level` to `sink`.
 *
 * Values are made plain first: bytes become their count, errors their name, code, message and cause, instances of other classes what their `toJSON` or custom inspection gives, or their class's name.
 * Strings are cut after 256 characters, lists and objects after 16 entries and two levels.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createLogger, textSink, withFields } from "./mod.ts";
 *
 * const lines: string[] = [];
 * const log = createLogger({
 *   sink: textSink((line) => lines.push(line)),
 *   clock: { wallTime: () => 0 },
 * });
 * withFields(log, { session: 7 }).info("htx.closed", { reason: "idle\ntoo long" });
 * log.debug("htx.ping");
 * assertEquals(lines, [
 *   '1970-01-01T00:00:00.000Z info  htx.closed session=7 reason="idle\\ntoo long"',
 * ]);
 * ```
 */
export function createLogger(
  { level = "info", sink, clock = { wallTime: Date.now } }: CreateLoggerOptions,
): Logger {
  const least = LOG_LEVELS.indexOf(level);

  const at = (level: LogLevel) => (event: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    sink({
      time: clock.wallTime(),
      level,
      event,
      fields: toPlain(fields, { stacks: least === 0 }),
    });
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
