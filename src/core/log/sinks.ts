import type { Plain } from "./_plain.ts";
import type { LogRecord, LogSink } from "./create_logger.ts";

/**
 * Writes each record as a line for people, without its line end: time, level, event, then `name=value`.
 *
 * Values that are not simple words are quoted as in JSON, control and other invisible characters escaped.
 */
export function textSink(write: (line: string) => void): LogSink {
  return ({ time, level, event, fields }) => {
    const words = [timestamp(time), level.padEnd(5), word(event)];
    for (const [name, value] of Object.entries(fields)) {
      words.push(`${word(name)}=${word(value)}`);
    }
    write(words.join(" "));
  };
}

/**
 * Writes each record as a line of JSON, without its line end: `time` (ISO 8601), `level`, `event`, then the fields.
 *
 * Control and other invisible characters are escaped; a field called `time`, `level` or `event` is left out.
 */
export function jsonSink(write: (line: string) => void): LogSink {
  return (record: LogRecord) => {
    const { level, event, fields } = record;
    const head = { time: timestamp(record.time), level, event };
    write(quote({ ...head, ...fields, ...head }));
  };
}

const WORD_REGEXP = /^[\w.:/@+-]+$/;
const INVISIBLE_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function word(value: Plain): string {
  return typeof value === "string" && WORD_REGEXP.test(value)
    ? value
    : quote(value);
}

function quote(value: Plain): string {
  return JSON.stringify(value).replace(INVISIBLE_REGEXP, escapeUnits);
}

function escapeUnits(text: string): string {
  return text.split("").map((unit) =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  ).join("");
}

function timestamp(time: number): string {
  return new Date(time).toISOString();
}
