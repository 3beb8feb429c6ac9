import {
  type Clock,
  delay,
  systemClock,
  type WaitOptions,
} from "../../core/async/mod.ts";

/** How far behind its time a tick may come and still count, in milliseconds: more than a timer is usually late. */
const MAX_LATE_MS = 20;

/** Options of {@link PoissonTicks}. */
export interface PoissonTicksOptions {
  /** Ticks per second on average. */
  readonly ratePerSecond: number;
  /** Uniform in [0, 1), unpredictable to an observer. */
  readonly random: () => number;
  /** Time and timers. Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * The times of a Poisson process: the time from each to the next is exponential, whatever is done at them.
 *
 * Times are drawn one after the other on an axis of their own, so that late timers do not lower the rate. A tick more than 20 ms
 * and more than the mean time between ticks late, as after a pause of the machine, is not made up for: the axis goes on from now.
 * So at most the ticks of that time come in a row, and they say nothing about what there is to send.
 */
export class PoissonTicks {
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #meanMs: number;
  #atMs: number;
  #skips = 0;

  /**
   * Starts the process now.
   *
   * @throws {RangeError} If the rate is not above 0.
   */
  constructor(
    { ratePerSecond, random, clock = systemClock }: PoissonTicksOptions,
  ) {
    if (!(ratePerSecond > 0 && ratePerSecond < Infinity)) {
      throw new RangeError(`A rate is above 0: got ${ratePerSecond}`);
    }
    this.#random = random;
    this.#clock = clock;
    this.#meanMs = 1_000 / ratePerSecond;
    this.#atMs = clock.now();
  }

  /** How often the axis went on from a later time. */
  get skips(): number {
    return this.#skips;
  }

  /** The time of the next tick, on the clock. */
  draw(): number {
    this.#atMs += -Math.log(1 - this.#random()) * this.#meanMs;
    const now = this.#clock.now();
    if (now - this.#atMs > Math.max(MAX_LATE_MS, this.#meanMs)) {
      this.#atMs = now;
      this.#skips++;
    }
    return this.#atMs;
  }

  /**
   * Resolves at the next tick.
   *
   * @throws The reason of the signal.
   */
  async next({ signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const waitMs = this.draw() - this.#clock.now();
    await delay(this.#clock, Math.max(0, waitMs), { signal });
  }
}
