import type { LogFields, Logger } from "../src/core/log/mod.ts";

/** Levels, the quietest last. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** A logger that gives each event of at least `level` to `write` as a line. */
export function lineLogger(
  level: LogLevel,
  format: "text" | "json",
  write: (line: string) => void,
): Logger {
  const at = (own: LogLevel) => (event: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(own) < LOG_LEVELS.indexOf(level)) return;
    const time = new Date().toISOString();
    const pairs = Object.entries(fields).map(([k, v]) =>
      ` ${k}=${JSON.stringify(v)}`
    );
    write(
      format === "json"
        ? JSON.stringify({ time, level: own, event, ...fields })
        : `${time} ${own} ${event}${pairs.join("")}`,
    );
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
