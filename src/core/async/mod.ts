/**
 * Time, queues and retries.
 *
 * @module
 */
export { Backoff, type BackoffOptions } from "./backoff.ts";
export { Bag, type InBag } from "./bag.ts";
export { BoundedQueue, type BoundedQueueOptions } from "./bounded_queue.ts";
export { type Clock, systemClock } from "./clock.ts";
export { Deadline } from "./deadline.ts";
export { delay, type WaitOptions } from "./delay.ts";
export { orAbort } from "./or_abort.ts";
export { SharedTimer } from "./shared_timer.ts";
export { VirtualClock } from "./virtual_clock.ts";
