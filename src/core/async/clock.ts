/** Time and timers, so that tests can supply their own. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01 UTC; it may jump. */
  wallTime(): number;
  /** Monotonic time in milliseconds from an arbitrary origin; it never goes back. */
  now(): number;
  /** Calls `fn` once after `delayMs`; the returned function cancels it. */
  setTimeout(fn: () => void, delayMs: number): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  wallTime: () => Date.now(),
  now: () => performance.now(),
  setTimeout(fn, delayMs) {
    const id = setTimeout(fn, delayMs);
    return () => clearTimeout(id);
  },
};
