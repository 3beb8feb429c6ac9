import type { Clock } from "./clock.ts";
import { delay, type WaitOptions } from "./delay.ts";

/** Options of {@link Backoff}. */
export interface BackoffOptions {
  /** Upper bound of the first pause, in milliseconds. */
  readonly minMs: number;
  /** Upper bound of every pause, in milliseconds. */
  readonly maxMs: number;
  /** Uniform in [0, 1), as `Math.random`. */
  readonly random: () => number;
  /** Where the pauses pass. */
  readonly clock: Clock;
}

/**
 * Pauses between attempts, each uniform between 0 and a bound that doubles ("full jitter"), so that many peers that
 * failed together do not come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempts = 0;

  /**
   * Starts at the shortest bound.
   *
   * @throws {RangeError} Unless 0 < `minMs` ≤ `maxMs`.
   */
  constructor(options: BackoffOptions) {
    const { minMs, maxMs } = options;
    if (!(minMs > 0 && minMs <= maxMs)) {
      throw new RangeError(
        `Want 0 < minMs <= maxMs: got ${minMs} and ${maxMs}`,
      );
    }
    this.#options = options;
  }

  /** Number of pauses since the start or the last {@link reset}. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Draws the length of the next pause, in milliseconds. */
  nextMs(): number {
    const { minMs, maxMs, random } = this.#options;
    return random() * Math.min(maxMs, minMs * 2 ** this.#attempts++);
  }

  /**
   * Pauses.
   *
   * @throws The reason of `signal`, if it aborts first.
   */
  wait(options: WaitOptions = {}): Promise<void> {
    return delay(this.#options.clock, this.nextMs(), options);
  }

  /** Goes back to the shortest bound, after a success. */
  reset(): void {
    this.#attempts = 0;
  }
}
