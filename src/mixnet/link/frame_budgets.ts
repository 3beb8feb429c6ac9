/** How fast frames may come, and how many at once. */
export interface FrameRate {
  /** Frames per second in the long run. */
  readonly framesPerSecond: number;
  /** Frames at once. */
  readonly burstFrames: number;
}

/** How many entries one call looks at to find room. */
const SCAN = 16;
const OVERFLOW = "";

/**
 * One budget of frames for each key, in bounded memory: what was spent comes back at the rate.
 *
 * A budget that is whole again is forgotten, no other; while every place is taken, further keys share one.
 */
export class FrameBudgets {
  readonly #frameMs: number;
  readonly #burstMs: number;
  readonly #maxKeys: number;
  /** By key, the monotonic time at which its budget is whole again. */
  readonly #wholeAtMs = new Map<string, number>();

  /**
   * Starts with every budget whole.
   *
   * @throws {RangeError} If a limit is not above 0.
   */
  constructor({ framesPerSecond, burstFrames }: FrameRate, maxKeys: number) {
    for (const limit of [framesPerSecond, burstFrames, maxKeys]) {
      if (!(limit > 0)) throw new RangeError(`Want a limit above 0: ${limit}`);
    }
    this.#frameMs = 1_000 / framesPerSecond;
    this.#burstMs = burstFrames * this.#frameMs;
    this.#maxKeys = maxKeys;
  }

  /** Takes `frames` of the budget of `key`, and says in how many milliseconds it is no longer overdrawn. */
  spend(key: string, frames: number, nowMs: number): number {
    const place = this.#place(key, nowMs);
    const wholeAtMs = Math.max(this.#wholeAtMs.get(place) ?? 0, nowMs) +
      frames * this.#frameMs;
    this.#wholeAtMs.set(place, wholeAtMs);
    return Math.max(0, wholeAtMs - nowMs - this.#burstMs);
  }

  /** `key`, or the shared place if there is no room for one more. */
  #place(key: string, nowMs: number): string {
    const places = this.#wholeAtMs;
    if (places.has(key) || places.size < this.#maxKeys) return key;
    let scanned = 0;
    for (const [old, wholeAtMs] of places) {
      places.delete(old);
      if (wholeAtMs > nowMs) places.set(old, wholeAtMs);
      else if (old !== OVERFLOW) return key;
      if (++scanned === SCAN) break;
    }
    return OVERFLOW;
  }
}
