import type { Clock } from "../core/async/mod.ts";

/** One timer that is only ever set earlier, so that a time that keeps moving later costs nothing. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #atMs = Infinity;
  #cancel: (() => void) | undefined;

  /** Calls `ring` when the time has come, or before: whoever is called looks at the clock. */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `atMs` of the clock's monotonic time at the latest. */
  set(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.cancel();
    this.#atMs = atMs;
    this.#cancel = this.#clock.setTimeout(() => {
      this.#atMs = Infinity;
      this.#ring();
    }, Math.max(0, atMs - this.#clock.now()));
  }

  /** Does not ring any more until set again. */
  cancel(): void {
    this.#cancel?.();
    this.#atMs = Infinity;
  }
}
