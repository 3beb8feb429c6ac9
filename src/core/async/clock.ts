/** Time and timers, so that tests can supply their own. */
export interface Clock {
  /** Wall-clock time in whole milliseconds since 1970-01-01 UTC; it may jump. */
  wallTime(): number;
  /** Monotonic time in milliseconds from an arbitrary origin; it never goes back. */
  now(): number;
  /**
   * Calls `fn` once after `delayMs`, however long, never if it is infinite, and without any as soon as what is due has run; the returned
   * function cancels it.
   */
  setTimeout(fn: () => void, delayMs: number): () => void;
}

/** The longest that a timer of the runtime waits; it fires at once for more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A timer of no time takes Deno two milliseconds; browsers have nothing better. */
const hasImmediate = typeof setImmediate === "function";

/** The clock of the machine. */
export const systemClock: Clock = {
  wallTime: () => Date.now(),
  now: () => performance.now(),
  setTimeout(fn, delayMs) {
    if (delayMs <= 0 && hasImmediate) {
      const immediate = setImmediate(fn);
      return () => clearImmediate(immediate);
    }
    let id: ReturnType<typeof setTimeout>;
    const wait = (ms: number) => {
      id = ms > MAX_TIMER_MS
        ? setTimeout(() => wait(ms - MAX_TIMER_MS), MAX_TIMER_MS)
        : setTimeout(fn, ms);
    };
    wait(delayMs);
    return () => clearTimeout(id);
  },
};
