import { Bag, type InBag } from "./bag.ts";
import type { Clock } from "./clock.ts";

interface Timer extends InBag {
  readonly atMs: number;
  /** Timers of the same time ring in the order in which they were set. */
  readonly order: number;
  readonly fn: () => void;
}

/**
 * A clock whose timers share one of another clock, so that setting and cancelling one costs none of the runtime's: for times that are
 * mostly cancelled before they come. Each time that comes looks at all that wait.
 */
export class SharedTimer implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Bag<Timer>();
  #count = 0;
  /** When the one timer rings: never later than the first of ours is due. */
  #atMs = Infinity;
  #cancel: () => void = () => {};

  /** Starts without a timer. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wall-clock time, as of {@link Clock}. */
  wallTime(): number {
    return this.#clock.wallTime();
  }

  /** Monotonic time, as of {@link Clock}. */
  now(): number {
    return this.#clock.now();
  }

  /** Calls `fn` once after `delayMs`, as {@link Clock} says; the other clock keeps no timer once none waits. */
  setTimeout(fn: () => void, delayMs: number): () => void {
    if (!(delayMs > 0)) return this.#clock.setTimeout(fn, delayMs);
    const atMs = this.now() + delayMs;
    const order = this.#count++;
    const timer: Timer = { atMs, order, fn, place: -1 };
    this.#timers.add(timer);
    if (atMs < this.#atMs) this.#arm(atMs);
    return () => {
      if (this.#timers.delete(timer) && this.#timers.size === 0) this.#disarm();
    };
  }

  #arm(atMs: number): void {
    this.#disarm();
    if (atMs === Infinity) return;
    this.#atMs = atMs;
    const leftMs = Math.max(0, atMs - this.now());
    this.#cancel = this.#clock.setTimeout(() => this.#ring(), leftMs);
  }

  #disarm(): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#atMs = Infinity;
  }

  #ring(): void {
    // The time that was waited for has come, however the clock rounds.
    const nowMs = Math.max(this.now(), this.#atMs);
    this.#atMs = Infinity;
    const due: Timer[] = [];
    let nextMs = Infinity;
    for (const timer of this.#timers) {
      if (timer.atMs <= nowMs) due.push(timer);
      else nextMs = Math.min(nextMs, timer.atMs);
    }
    due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    try {
      for (const timer of due) {
        // One before it may have cancelled it.
        if (this.#timers.delete(timer)) timer.fn();
      }
    } finally {
      const isLeft = due.some(({ place }) => place >= 0);
      const firstMs = isLeft ? this.now() : nextMs;
      if (firstMs < this.#atMs && this.#timers.size > 0) this.#arm(firstMs);
    }
  }
}
