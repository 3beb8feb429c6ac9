/**
 * Structured logging through a {@link Logger} that is passed in.
 *
 * @module
 */
export type { LogFields, Logger } from "./logger.ts";
