/** Frames that cost us and carry nothing which may come at once. */
const NUISANCE_BURST = 1_000;
/** How many more are allowed per second. */
const NUISANCE_PER_SECOND = 33;

/**
 * Bounds frames by which a peer keeps us busy: PING, SETTINGS, RST_STREAM, PRIORITY, unknown ones, empty and short DATA, 1xx,
 * HEADERS that are dropped, and those that make us reset a stream.
 */
export class NuisanceBudget {
  #left = NUISANCE_BURST;
  #atMs: number | undefined;

  /** Whether one was too many. */
  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** Counts one; `false` if it is one too many. */
  spend(nowMs: number): boolean {
    const passedMs = nowMs - (this.#atMs ?? nowMs);
    this.#atMs = nowMs;
    const refilled = this.#left + passedMs * NUISANCE_PER_SECOND / 1_000;
    this.#left = Math.min(NUISANCE_BURST, refilled) - 1;
    return this.#left >= 0;
  }
}
