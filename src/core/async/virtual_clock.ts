import type { Clock } from "./clock.ts";

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** A clock that stands still until told to go on: tests run hours in milliseconds, the same way every time. */
export class VirtualClock implements Clock {
  #now = 0;
  /** When the wall clock was set, and to what. */
  #setAt = 0;
  #setTo: number;
  /** Sorted by time; timers of the same time in the order they were set. */
  #timers: Timer[] = [];

  /** Starts at monotonic time 0 and at `wallTimeMs` since 1970 (default 2027-01-15 08:00 UTC). */
  constructor(wallTimeMs = 1_800_000_000_000) {
    this.#setTo = wallTimeMs;
  }

  /** Whole milliseconds since 1970; it advances with the clock and jumps by {@link setWallTime}. */
  wallTime(): number {
    return Math.floor(this.#setTo + (this.#now - this.#setAt));
  }

  /** Makes the wall clock jump to `wallTimeMs`; timers and {@link now} do not notice. */
  setWallTime(wallTimeMs: number): void {
    this.#setAt = this.#now;
    this.#setTo = wallTimeMs;
  }

  /** Milliseconds advanced so far. */
  now(): number {
    return this.#now;
  }

  /** Number of timers waiting. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Calls `fn` once the clock has advanced by `delayMs`; the returned function cancels it. */
  setTimeout(fn: () => void, delayMs: number): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), fn };
    let i = this.#timers.length;
    while (i > 0 && this.#timers[i - 1]!.at > timer.at) i--;
    this.#timers.splice(i, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  /**
   * Advances by `ms` and calls the timers that come due, those they set included, each at its own time.
   *
   * What they leave to promises happens after the call: use {@link run} where that matters.
   *
   * @throws {RangeError} If `ms` is negative or not a number.
   */
  advance(ms: number): void {
    const end = this.#end(ms);
    while (this.#fireNext(end));
    this.#now = end;
  }

  /**
   * As {@link advance}, but lets pending promises settle before the first timer, between timers and at the end.
   *
   * @throws {RangeError} If `ms` is negative or not a number.
   */
  async run(ms: number): Promise<void> {
    const end = this.#end(ms);
    do await settled(); while (this.#fireNext(end));
    this.#now = end;
  }

  #end(ms: number): number {
    if (!(ms >= 0)) throw new RangeError(`Cannot advance by ${ms} ms`);
    return this.#now + ms;
  }

  #fireNext(end: number): boolean {
    const timer = this.#timers[0];
    if (!timer || timer.at > end) return false;
    this.#timers.shift();
    this.#now = timer.at;
    timer.fn();
    return true;
  }
}

/** Resolves after every promise that can settle without a timer or IO has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
