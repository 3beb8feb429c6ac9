/**
 * Time, queues and retries.
 *
 * @module
 */
export { type Clock, systemClock } from "./clock.ts";
