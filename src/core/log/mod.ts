/**
 * Structured logging through a {@link Logger} that is passed in.
 *
 * @module
 */
export type { Plain, PlainFields } from "./_plain.ts";
export {
  createLogger,
  type CreateLoggerOptions,
  LOG_LEVELS,
  type LogLevel,
  type LogRecord,
  type LogSink,
} from "./create_logger.ts";
export {
  type LogFields,
  type Logger,
  silentLogger,
  withFields,
} from "./logger.ts";
export { jsonSink, textSink } from "./sinks.ts";
